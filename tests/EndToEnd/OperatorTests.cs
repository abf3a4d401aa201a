using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>Incidents of a running shop, from the cause to the operator's repair.</summary>
public sealed class OperatorTests : IAsyncLifetime
{
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        host = await HttpHost.StartAsync();
        await host.WaitForAsync("The demo shop has");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_refund_that_fails_is_an_incident_until_an_operator_resolves_it()
    {
        var order = await PostAsync("orders", new
        {
            customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
            payment = new { provider = "sandbox", token = "tok_refund_fails" },
        });
        var id = (string)order["id"]!;
        Assert.Equal("confirmed", (string)order["status"]!);
        await UntilAsync(async () => (string)(await GetAsync($"sagas/{id}"))["state"]! == "completed" ? order : null);
        var (exit, effect) = await host.RunToolAsync("cancel", id, "--preview");
        Assert.Equal(0, exit);
        Assert.Contains("would send orderwright.order.cancel-requested.v1 to saga-coordinator", effect, StringComparison.Ordinal);
        Assert.Contains(
            "would send orderwright.stock.release.v1 to stock-service (commit-stock, attempt 1)", effect,
            StringComparison.Ordinal);
        Assert.Equal("confirmed", (string)(await GetAsync($"orders/{id}"))["status"]!);
        await PostAsync($"orders/{id}/cancel", new { reason = "customer" });

        var incident = await UntilAsync(async () =>
            (await GetAsync("incidents"))["items"]!.AsArray().SingleOrDefault(item => (string)item!["orderId"]! == id));
        Assert.Equal("refund_failed", (string)incident["code"]!);
        var (status, why) = await host.RunToolAsync("why", id);
        Assert.Equal(0, status);
        Assert.Contains("an operator has to act", why, StringComparison.Ordinal);

        var (_, preview) = await host.RunToolAsync("retry", id, "--reason", "look", "--preview");
        Assert.Contains("would send orderwright.payment.undo.v1 to customer-service", preview, StringComparison.Ordinal);
        (status, _) = await host.RunToolAsync(
            "resolve", id, (string)incident["step"]!, "completed", "--reason", "refunded manually");
        Assert.Equal(0, status);
        await UntilAsync(async () => (string)(await GetAsync($"orders/{id}"))["status"]! == "cancelled" ? order : null);
        Assert.Equal("resolve", (string)(await GetAsync($"audit?orderId={id}"))["items"]![0]!["action"]!);

        (status, _) = await host.RunToolAsync("compensate", id, "--reason", "again");
        Assert.Equal(3, status);
        (status, var none) = await host.RunToolAsync("incidents");
        Assert.Equal((0, "✓ No incident is open.\n"), (status, none));
    }

    [Fact]
    public async Task A_bulk_retry_stops_when_its_canary_gets_stuck_again()
    {
        for (var i = 0; i < 2; i++)
        {
            var order = await PostAsync("orders", new
            {
                customerId = "ada", currency = "GBP", lines = new[] { new { sku = "MUG-01", quantity = 1 } },
                payment = new { provider = "sandbox", token = "tok_refund_fails" },
            });
            await PostAsync($"orders/{order["id"]}/cancel", new { reason = "customer" });
        }
        await UntilAsync(async () =>
            await GetAsync("incidents") is var open && open["items"]!.AsArray().Count == 2 ? open : null);

        string[] retry =
            ["retry", "--where", "step=authorize-payment&code=refund_failed", "--canary", "1", "--reason", "the bank is back"];
        Assert.Equal((0, "It would retry 2 orders: 1 first, then 1.\n"), await host.RunToolAsync([.. retry, "--preview"]));
        var (status, output) = await host.RunToolAsync(retry);
        Assert.Equal(1, status);
        Assert.Contains("1 of the first 1 did not advance; the run was stopped.", output, StringComparison.Ordinal);
        var audit = (await GetAsync("audit?action=retry"))["items"]!.AsArray();
        Assert.Equal("the bank is back", (string)Assert.Single(audit)!["reason"]!);
    }

    [Fact]
    public async Task Dead_letters_are_one_list_of_all_services()
    {
        Assert.Empty((await GetAsync("dead-letters?open=true"))["items"]!.AsArray());
        Assert.Equal(404, (await host.Client.AskAsync($"/api/v1/dead-letters/{Guid.CreateVersion7()}")).Status);
        Assert.Equal(400, (await host.Client.AskAsync("/api/v1/dead-letters?cursor=abc")).Status);
    }


    async Task<JsonNode> PostAsync(string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/{path}") { Content = JsonContent.Create(body) };
        request.Headers.Add("Prefer", "wait=10");
        using var response = await host.Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await host.Client.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)))!;

    static async Task<JsonNode> UntilAsync(Func<Task<JsonNode?>> look)
    {
        using var limit = new CancellationTokenSource(Waiting.HangLimit);
        while (true)
        {
            if (await look() is { } found) return found;
            await Task.Delay(50, limit.Token);
        }
    }
}
