using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>A channel whose payments are captured on fulfilment, with a crash in between.</summary>
public sealed class CaptureTests
{
    static readonly TimeSpan Patience = Waiting.HangLimit;

    [Fact]
    public async Task Two_fulfilments_capture_the_total_in_two_parts_and_ship_the_goods_despite_a_crash()
    {
        var data = HttpHost.NewDirectory();
        string[] settings = ["--no-demo", "--capture", "fulfilment"];
        string id;
        await using (var dies = await HttpHost.StartAsync(data, settings))
        {
            await dies.Client.PutAsync("/api/v1/products/MUG", """{"name":"Mug","unitPrice":500,"currency":"GBP"}""");
            await dies.Client.PutAsync("/api/v1/stock/MUG", """{"onHand":10}""");
            await dies.Client.PutAsync("/api/v1/customers/ada", """{"name":"Ada"}""");
            var placed = await dies.Client.PostAsync(
                "/api/v1/orders",
                """
                {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":3}],
                 "adjustments":[{"type":"shipping","label":"Post","amount":250}],
                 "payment":{"provider":"sandbox","token":"tok_visa"}}
                """,
                ("Prefer", "wait=20"));
            Assert.Equal(
                ("confirmed", "authorized", 1_750L),
                ((string?)placed.Json["status"], (string?)placed.Json["paymentStatus"], (long)placed.Json["total"]!));
            id = (string)placed.Json["id"]!;
            var first = await ShipAsync(dies, id, """{"lines":[{"line":1,"quantity":1}]}""");
            Assert.Equal((201, 750L), (first.Status, (long)first.Json["value"]!));
            var order = await UntilAsync(dies, id, order => (string?)order["paymentStatus"] == "partially_paid");
            Assert.Equal(("confirmed", "partially_fulfilled"), ((string?)order["status"], (string?)order["fulfilmentStatus"]));
            Assert.Equal(
                "not_cancellable",
                (await dies.Client.PostAsync($"/api/v1/orders/{id}/cancel", """{"reason":"customer"}""")).Code);
            // Killed right after the response: everything promised is in the tables.
            Assert.Equal(201, (await ShipAsync(dies, id, "{}")).Status);
            await dies.KillAsync();
        }
        await using (var host = await HttpHost.StartAsync(data, settings))
        {
            var order = await UntilAsync(host, id, order => (string?)order["paymentStatus"] == "paid");
            Assert.Equal("fulfilled", (string?)order["fulfilmentStatus"]);
            var payment = (await host.Client.AskAsync($"/api/v1/payments/{id}")).Json;
            Assert.Equal(
                [(750L, "settled"), (1_000L, "settled")],
                payment["captures"]!.AsArray().Select(one => ((long)one!["amount"]!, (string?)one["state"])));
            await UntilAsync(host, id, _ => true);
            JsonNode stock;
            do stock = (await host.Client.AskAsync("/api/v1/stock/MUG")).Json;
            while ((long)stock["onHand"]! > 7);
            Assert.Equal((7L, 0L), ((long)stock["onHand"]!, (long)stock["allocated"]!));
            var done = await host.Client.SendAsync(
                HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}"""u8.ToArray());
            Assert.Equal("completed", (string?)done.Json["status"]);
            Assert.Equal(0, await host.StopAsync());
        }
        Assert.Equal((0, ""), await VerifyAsync(data));
        Directory.Delete(data, recursive: true);
    }

    static Task<HttpAnswer> ShipAsync(HttpHost host, string id, string body) =>
        host.Client.PostAsync($"/api/v1/orders/{id}/fulfilments", body);

    static async Task<JsonNode> UntilAsync(HttpHost host, string id, Func<JsonNode, bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var order = (await host.Client.AskAsync($"/api/v1/orders/{id}")).Json;
            if (holds(order)) return order;
            await Task.Delay(50, limit.Token);
        }
    }

    static async Task<(int ExitCode, string Output)> VerifyAsync(string data)
    {
        var (exit, output, _) = await HttpHost.RunToolAsync(null, "", "verify", "--data", data);
        return (exit, exit == 0 ? "" : output);
    }
}
