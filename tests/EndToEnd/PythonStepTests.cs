using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>The fraud check in Python of the how-to page, as a reader would copy it.</summary>
public sealed class PythonStepTests
{
    [Fact]
    public async Task The_sample_of_the_page_accepts_and_refuses_orders()
    {
        var files = HttpHost.NewDirectory();
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(files, "secret"), Participant.Secret + "\n");
        await File.WriteAllTextAsync(Path.Combine(files, "check-fraud"), Participant.Secret + "\n");
        await File.WriteAllTextAsync(
            Path.Combine(files, "check.py"), SampleOf("add-a-step.md").Replace("9000", port, StringComparison.Ordinal));
        await File.WriteAllTextAsync(
            Path.Combine(files, "process.json"),
            $$"""
            { "name": "order-process", "version": 2, "steps": [
              { "step": "reserve-stock" },
              { "step": "check-fraud", "participant": "http://127.0.0.1:{{port}}", "undo": true },
              { "step": "authorize-payment", "pivot": true },
              { "parallel": [ { "step": "commit-stock" }, { "step": "capture-payment" } ] } ] }
            """);
        using var python = Python(files);
        if (python is null) Assert.Skip("python3 is not installed.");
        try
        {
            await using var shop = await HttpHost.StartAsync(
                null, "--no-demo", "--process", Path.Combine(files, "process.json"), "--step-secrets", files);
            await shop.Client.PutAsync("/api/v1/customers/ada", """{"name":"Ada"}""");
            await shop.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":1530,"currency":"GBP"}""");
            await shop.Client.PutAsync("/api/v1/stock/MUG", """{"onHand":1000}""");

            await BecomesAsync(shop, await PlaceAsync(shop, 1, "tok_visa"), "confirmed");
            await BecomesAsync(shop, await PlaceAsync(shop, 100, "tok_visa"), "rejected");
            // The check is undone when the payment is declined.
            await BecomesAsync(shop, await PlaceAsync(shop, 2, "tok_declined"), "rejected");
        }
        finally
        {
            python.Kill();
            await python.WaitForExitAsync();
            Directory.Delete(files, recursive: true);
        }
    }

    [Fact]
    public async Task The_sample_of_the_page_keeps_every_rule_but_forgets_at_a_restart()
    {
        var files = HttpHost.NewDirectory();
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(files, "secret"), Participant.Secret + "\n");
        await File.WriteAllTextAsync(
            Path.Combine(files, "check.py"), SampleOf("add-a-step.md").Replace("9000", port, StringComparison.Ordinal));
        using var python = Python(files);
        if (python is null) Assert.Skip("python3 is not installed.");
        string[] test = ["participant", "test", $"http://127.0.0.1:{port}", "--step", "check-fraud", "--secret", "secret"];
        var pid = python.Id.ToString(CultureInfo.InvariantCulture);
        try
        {
            await ListensAsync(port);
            var (exit, output, errors) = await HttpHost.RunToolAsync(null, files, [.. test, "--json"]);
            Assert.Equal((0, ""), (exit, errors));
            Assert.All(JsonNode.Parse(output)!.AsArray(), rule => Assert.Equal("holds", (string)rule!["verdict"]!));

            // The next process has the port once the first has ended.
            await File.WriteAllTextAsync(
                Path.Combine(files, "restart.sh"),
                $$"""
                kill {{pid}}
                while kill -0 {{pid}} 2>/dev/null; do sleep 0.1; done
                python3 check.py >/dev/null 2>&1 & echo $! >next
                """);
            (exit, output, _) = await HttpHost.RunToolAsync(null, files, [.. test, "--restart", "sh restart.sh"]);
            Assert.Equal(1, exit);
            Assert.Contains("✗ restart:", output, StringComparison.Ordinal);
            Assert.Contains("12 rules hold; broken: 1; not judged: 0.", output, StringComparison.Ordinal);
        }
        finally
        {
            python.Kill();
            await python.WaitForExitAsync();
            if (File.Exists(Path.Combine(files, "next")))
                Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(Path.Combine(files, "next")), null)).Kill();
            Directory.Delete(files, recursive: true);
        }
    }

    static Task ListensAsync(string port) => Waiting.UntilAsync(async () =>
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(System.Net.IPAddress.Loopback, int.Parse(port, null));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    });

    static async Task<string> PlaceAsync(HttpHost shop, int quantity, string token)
    {
        var answer = await shop.Client.PostAsync(
            "/api/v1/orders",
            $$$"""
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":{{{quantity}}}}],
            "payment":{"provider":"sandbox","token":"{{{token}}}"}}
            """);
        return (string)answer.Json["id"]!;
    }

    static Task BecomesAsync(HttpHost shop, string id, string status) => Waiting.UntilAsync(
        async () => (string?)(await shop.Client.AskAsync($"/api/v1/orders/{id}")).Json["status"] == status);

    static Process? Python(string directory)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("python3", ["check.py"]) { WorkingDirectory = directory });
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    static string SampleOf(string page)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (Path.Combine(at.FullName, "docs", "how-to", page) is var path && File.Exists(path))
                return File.ReadAllText(path).Split("```python\n")[1].Split("```")[0];
        throw new FileNotFoundException(page);
    }

    static string FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
