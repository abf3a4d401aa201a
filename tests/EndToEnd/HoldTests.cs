using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Authorizations about to expire are visible to operators in the tool and the console.</summary>
public sealed class HoldTests
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    [Fact]
    public async Task An_authorization_about_to_expire_is_shown_by_the_tool_and_the_console()
    {
        var data = HttpHost.NewDirectory();
        string[] settings = ["--no-demo", "--capture", "fulfilment", "--sandbox-holds", "48h"];
        string id;
        await using (var host = await HttpHost.StartAsync(data, settings))
        {
            await host.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":500,"currency":"GBP"}""");
            await host.Client.PutAsync("/api/v1/stock/MUG", """{"onHand":10}""");
            await host.Client.PutAsync("/api/v1/customers/ada", """{"name":"Ada"}""");
            var placed = await host.Client.PostAsync(
                "/api/v1/orders",
                """
                {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":3}],
                 "payment":{"provider":"sandbox","token":"tok_visa"}}
                """,
                ("Prefer", "wait=20"));
            Assert.Equal(("confirmed", "authorized"), ((string?)placed.Json["status"], (string?)placed.Json["paymentStatus"]));
            id = (string)placed.Json["id"]!;

            var until = (string)(await host.Client.AskAsync($"/api/v1/payments/{id}")).Json["captureBefore"]!;
            Assert.Contains(
                $"held by sandbox until {until} (15.00 GBP)", await ToolAsync(host, "why", id), StringComparison.Ordinal);
            Assert.Equal("✓ No incident is open.\n", await ToolAsync(host, "incidents"));
            Assert.DoesNotContain("payments need attention", await PageAsync(host, "/"), StringComparison.Ordinal);
        }

        // The job runs at process start, by which time the expiry is within the warning period.
        await using (var host = await StartWithWarningAsync(data, [.. settings, "--gateway-holdwarning", "49h"]))
        {
            const string What = "The authorization expires at";
            Assert.Contains(What, await ToolAsync(host, "why", id), StringComparison.Ordinal);
            var incidents = await ToolAsync(host, "incidents");
            Assert.Contains(id, incidents, StringComparison.Ordinal);
            Assert.Contains(What, incidents, StringComparison.Ordinal);
            var listed = JsonNode.Parse(await ToolAsync(host, "incidents", "--json"))!;
            Assert.Equal(id, (string?)Assert.Single(listed["payments"]!.AsArray())!["orderId"]);
            Assert.Equal(id, (string?)JsonNode.Parse(await ToolAsync(host, "why", id, "--json"))!["paymentDetails"]!["orderId"]);

            Assert.Contains("payments need attention", await PageAsync(host, "/"), StringComparison.Ordinal);
            foreach (var page in new[] { "/incidents", "/payments?attention=true", $"/orders/{id}" })
            {
                var text = await PageAsync(host, page);
                Assert.Contains(id, text, StringComparison.Ordinal);
                Assert.Contains(What, text, StringComparison.Ordinal);
            }
        }
        Directory.Delete(data, recursive: true);
    }

    // A start soon after a jump of the clock decides nothing by time, and says so: another start does.
    static async Task<HttpHost> StartWithWarningAsync(string data, string[] settings)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var host = await HttpHost.StartAsync(data, settings);
            while (!host.Output.Contains("the job watch-holds pauses", StringComparison.Ordinal))
            {
                if ((await host.Client.AskAsync("/api/v1/payments?attention=true")).Json["items"]!.AsArray().Count > 0)
                    return host;
                await Task.Delay(50, limit.Token);
            }
            await host.DisposeAsync();
        }
    }

    static async Task<string> PageAsync(HttpHost host, string path)
    {
        var page = await host.Client.AskAsync(path);
        Assert.Equal(200, page.Status);
        return System.Text.Encoding.UTF8.GetString(page.Body);
    }

    static async Task<string> ToolAsync(HttpHost host, params string[] arguments)
    {
        var (exit, output) = await host.RunToolAsync(arguments);
        Assert.True(exit == 0, output);
        return output;
    }
}
