using System.Text.Json.Nodes;
using Orderwright.Hosting.Keys;
using Orderwright.Http;

namespace Orderwright.EndToEnd;

/// <summary>Operations that wait for a second person, in the running product: by HTTP and by the tool.</summary>
public sealed class ApprovalTests : IAsyncLifetime
{
    readonly string directory = HttpHost.NewDirectory();
    readonly Dictionary<string, string> keys = [];
    HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(directory, "keys.json");
        foreach (var (name, role, channel) in new[]
        {
            ("admin", Roles.Admin, "*"), ("ann", Roles.Finance, "acme"), ("bob", Roles.Finance, "acme"),
            ("eve", Roles.Finance, "beta"), ("olga", Roles.Operator, "acme"), ("sue", Roles.Support, "acme"),
        })
            keys[name] = KeyFile.Add(file, name, [], DateTimeOffset.UtcNow, channels: [channel], roles: [role]);
        host = await HttpHost.StartAsync(
            null, "--keys", file, "--approval-above", "GBP:500", "--refund-limit", "GBP:300", "--approval-time", "1h");
        await OkAsync("admin", HttpMethod.Put, "products/MUG", """{"name":"Mug","unitPrice":895,"currency":"GBP"}""");
        await OkAsync("admin", HttpMethod.Put, "stock/MUG", """{"onHand":100}""");
        await OkAsync("admin", HttpMethod.Put, "customers/ada", """{"name":"Ada"}""");
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task Both_people_are_in_the_payment_the_audit_and_the_timeline_of_an_order()
    {
        var order = await PlaceAsync("tok_visa");
        await Waiting.UntilAsync(async () =>
            (string)(await SendAsync("ann", HttpMethod.Get, $"orders/{order}")).Json["paymentStatus"]! == "paid");
        (await SendAsync("sue", HttpMethod.Post, $"payments/{order}/refunds", """{"amount":301,"reason":"Late."}"""))
            .IsProblem(403, "refund_not_allowed");
        var held = await SendAsync("ann", HttpMethod.Post, $"payments/{order}/refunds", """{"amount":600,"reason":"Late."}""");
        Assert.Equal((202, "pending", "Refund 6.00 GBP to ada."), (
            held.Status, (string)held.Json["state"]!, (string)held.Json["effect"]!));
        var approve = $"approvals/{held.Json["id"]}/approve";
        (await SendAsync("sue", HttpMethod.Post, approve, "{}")).IsProblem(403, "missing_scope");
        (await SendAsync("ann", HttpMethod.Post, approve, "{}")).IsProblem(403, "own_approval");
        (await SendAsync("eve", HttpMethod.Post, approve, "{}")).IsProblem(404, "not_found");
        Assert.Empty((await SendAsync("eve", HttpMethod.Get, "approvals")).Json["items"]!.AsArray());
        Assert.Single((await SendAsync("sue", HttpMethod.Get, "approvals?state=pending")).Json["items"]!.AsArray());
        var approved = await SendAsync("bob", HttpMethod.Post, approve, """{"reason":"Seen the photo."}""");
        Assert.Equal((200, "approved", order), (
            approved.Status, (string)approved.Json["state"]!, (string)approved.Json["result"]!["orderId"]!));
        (await SendAsync("olga", HttpMethod.Post, approve, "{}")).IsProblem(409, "already_decided");

        var (ann, bob) = (NameOf("ann"), NameOf("bob"));
        await Waiting.UntilAsync(async () =>
            (string)(await SendAsync("ann", HttpMethod.Get, $"orders/{order}")).Json["paymentStatus"]! == "partially_refunded");
        var moved = (await SendAsync("ann", HttpMethod.Get, $"orders/{order}/events")).Json["items"]!.AsArray()
            .Last(one => (string)one!["type"]! == "payment_updated")!;
        Assert.Equal((ann, bob), ((string)moved["actor"]!, (string)moved["data"]!["approvedBy"]!));
        var attempt = (await SendAsync("ann", HttpMethod.Get, $"payments/{order}")).Json["attempts"]!.AsArray()
            .Single(one => (string)one!["operation"]! == "refund")!;
        Assert.Equal((ann, bob), ((string)attempt["requestedBy"]!, (string)attempt["approvedBy"]!));
        var audit = (await SendAsync("ann", HttpMethod.Get, $"audit?orderId={order}")).Json["items"]!.AsArray();
        Assert.Equal(
            [("approve", bob), ("refund", ann), ("request", ann)],
            audit.Select(one => ((string)one!["action"]!, (string)one["actor"]!)).Order());
    }

    [Fact]
    public async Task An_operator_resolves_a_stuck_step_after_another_person_approved_by_the_tool()
    {
        var order = await PlaceAsync("tok_refund_fails");
        await OkAsync("admin", HttpMethod.Post, $"orders/{order}/cancel", """{"reason":"staff"}""");
        JsonNode? stuck = null;
        await Waiting.UntilAsync(async () =>
        {
            stuck = (await SendAsync("olga", HttpMethod.Get, "incidents")).Json["items"]!.AsArray().FirstOrDefault();
            return stuck is not null;
        });
        var (exit, output) = await ToolAsync(
            "olga", "resolve", order, (string)stuck!["step"]!, "completed", "--reason", "refunded by hand", "--reference", "R-1");
        Assert.True(exit == 0, output);
        Assert.Contains("Waiting for a second person", output, StringComparison.Ordinal);
        Assert.Equal("failed", (string)(await SendAsync("olga", HttpMethod.Get, $"sagas/{order}")).Json["state"]!);

        (exit, output) = await ToolAsync("bob", "approvals");
        Assert.True(exit == 0, output);
        Assert.Contains("for an order of 8.95 GBP of ada.", output, StringComparison.Ordinal);
        var id = (string)(await SendAsync("bob", HttpMethod.Get, "approvals")).Json["items"]![0]!["id"]!;
        (exit, output) = await ToolAsync("olga", "approvals", "approve", id);
        Assert.NotEqual(0, exit);
        Assert.Contains("requested by the same person", output, StringComparison.Ordinal);
        (exit, output) = await ToolAsync("bob", "approvals", "approve", id, "--reason", "the bank confirms");
        Assert.True(exit == 0, output);
        await Waiting.UntilAsync(async () =>
            (string)(await SendAsync("olga", HttpMethod.Get, $"orders/{order}")).Json["status"]! == "cancelled");
        (exit, output) = await ToolAsync("eve", "approvals", "reject", id, "--reason", "no");
        Assert.NotEqual(0, exit);
        Assert.Contains("does not exist", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_is_not_an_amount_by_currency_is_refused_at_the_start()
    {
        foreach (var wrong in (string[])["100", "GBP", "XYZ:1", "GBP:-1", "GBP:1,GBP:2"])
        {
            var (exit, output) = await HttpHost.RunAsync("--data", directory, "--port", "0", "--approval-above", wrong);
            Assert.Equal(2, exit);
            Assert.Contains("amounts in minor units by currency", output, StringComparison.Ordinal);
        }
    }

    string NameOf(string person) => keys[person].Split('_')[1];

    async Task<string> PlaceAsync(string token)
    {
        var answer = await host.Client.PostAsync(
            "/api/v1/orders",
            $$$"""
            {"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}],"channel":"acme",
             "payment":{"provider":"sandbox","token":"{{{token}}}"}}
            """, Bearer("admin"), ("Prefer", "wait=30"));
        Assert.Equal("confirmed", (string)answer.Json["status"]!);
        return (string)answer.Json["id"]!;
    }

    async Task OkAsync(string person, HttpMethod method, string path, string body)
    {
        var answer = await SendAsync(person, method, path, body);
        Assert.True(answer.Status < 300, $"{method} {path}: {answer.Status}");
    }

    Task<HttpAnswer> SendAsync(string person, HttpMethod method, string path, string? body = null) => host.Client.SendAsync(
        method, $"/api/v1/{path}", body is null ? null : System.Text.Encoding.UTF8.GetBytes(body), headers: Bearer(person));

    async Task<(int ExitCode, string Output)> ToolAsync(string person, params string[] arguments)
    {
        var (exit, output, errors) = await HttpHost.RunToolAsync(host.Url, "", keys[person], arguments);
        return (exit, output + errors);
    }

    (string, string) Bearer(string person) => ("Authorization", $"Bearer {keys[person]}");
}
