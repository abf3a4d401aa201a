using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.EndToEnd.Release;

/// <summary>
/// Every release opens the data of earlier ones. <c>tests/Fixtures</c> keeps the databases of each release on both engines,
/// with a row for every state; tests/Fixtures/README.md describes how to write those of a new release.
/// </summary>
public sealed class ReleaseTests
{
    static readonly string[] WithoutPages = ["payment-providers", "bulk-actions"];

    static readonly string[] Lists =
    [
        "orders", "events?after=0", "customers", "payments", "payments?inDoubt=true", "payments?attention=true",
        "payment-providers", "reconciliations", "products", "stock", "stock/MUG/movements", "reservations", "sagas", "incidents",
        "timers", "bulk-actions", "dead-letters", "audit",
    ];

    public static TheoryData<string, string> Releases => new() { { "0.1.0", "sqlite" }, { "0.1.0", "postgres" } };

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Data_of_a_release_is_opened_and_work_continues(string release, string engine)
    {
        if (engine == "postgres") Machine.Require(Machine.LacksPostgres);
        var archive = ReleaseStore.ArchiveOf(release, engine);
        await using var store = ReleaseStore.Create(engine);
        await store.StartAsync();
        await store.RestoreAsync(archive);
        Assert.Empty(await ReleaseStates.FindMissingAsync(store));

        await using var gateway = await HttpHost.StartGatewayAsync(store.Gateway, EveryState.Secret);
        await using (var host = await HttpHost.StartProcessAsync(
            [
                .. store.Arguments, "--port", "0", "--no-open", "--no-demo", "--gateway-url",
                new Uri(gateway.Url, "v1").AbsoluteUri, "--gateway-secret", EveryState.Secret,
                "--gateway-severalcaptures", "true", "--reconcile-every", "0s",
            ]))
        {
            await ReadAllAsync(host.Client);
            await ContinueAsync(host.Client);
            await VerifyAsync(store);
            Assert.Equal(0, await host.StopAsync());
        }
        Assert.Equal(0, await gateway.StopAsync());
    }

    // Every list to the end, and every order with saga, payment and events.
    static async Task ReadAllAsync(HttpClient client)
    {
        foreach (var list in Lists)
        {
            var count = 0;
            for (var cursor = ""; ;)
            {
                var separator = list.Contains('?', StringComparison.Ordinal) ? '&' : '?';
                var page = await client.AskAsync(
                    WithoutPages.Contains(list) ? $"/api/v1/{list}" : $"/api/v1/{list}{separator}limit=50{cursor}");
                Assert.True(page.Status == 200, $"{list}: {page.Status}");
                count += page.Json["items"]!.AsArray().Count;
                if ((string?)page.Json["nextCursor"] is not { } next) break;
                cursor = $"&cursor={next}";
            }
            Assert.True(count > 0 || MayBeEmpty(list), $"{list} is empty");
        }
        foreach (var order in (await client.AskAsync("/api/v1/orders?limit=200")).Json["items"]!.AsArray())
        {
            var id = (string)order!["id"]!;
            foreach (var path in new[] { $"orders/{id}", $"orders/{id}/events", $"orders/{id}/fulfilments", $"sagas/{id}" })
                Assert.Equal((path, 200), (path, (await client.AskAsync($"/api/v1/{path}")).Status));
            // An order that was refused before its payment has none.
            Assert.Contains((await client.AskAsync($"/api/v1/payments/{id}")).Status, new[] { 200, 404 });
        }
        Assert.Equal(200, (await client.AskAsync("/api/v1/overview")).Status);

        // The coordinator keeps bulk runs in memory, holds expire, timers of old data fire, and payments leave the filtered
        // lists with the next response.
        static bool MayBeEmpty(string list) =>
            list is "bulk-actions" or "reservations" or "timers" || list.StartsWith("payments?", StringComparison.Ordinal);
    }

    // A confirmed order is shipped and completed, a keyed request is replayed, an incident is retried, and a new order placed.
    static async Task ContinueAsync(HttpClient client)
    {
        var id = await IdOfAsync(client, "CONFIRMED");
        Assert.Equal(201, (await client.PostAsync($"/api/v1/orders/{id}/fulfilments", "{}")).Status);
        await Waiting.UntilAsync(async () =>
            (string?)(await client.AskAsync($"/api/v1/orders/{id}")).Json["fulfilmentStatus"] == "fulfilled");
        var completed = await client.SendAsync(
            HttpMethod.Patch, $"/api/v1/orders/{id}", """{"status":"completed"}"""u8.ToArray());
        Assert.True(completed.Status == 200, completed.Json.ToJsonString());
        Assert.Equal("completed", (string?)completed.Json["status"]);

        var incident = await IdOfAsync(client, "INCIDENT");
        var retried = await client.PostAsync($"/api/v1/sagas/{incident}/retry", """{"reason":"After the upgrade."}""");
        Assert.Equal(200, retried.Status);

        var placed = await client.PostAsync(
            "/api/v1/orders", """{"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG","quantity":1}]}""",
            ("Prefer", "wait=20"));
        await Waiting.UntilAsync(async () =>
            (string?)(await client.AskAsync($"/api/v1/orders/{placed.Json["id"]}")).Json["status"] == "confirmed");
    }

    static async Task VerifyAsync(ReleaseStore store)
    {
        var databases = ServiceNames.All.ToDictionary(service => service, store.Open);
        try
        {
            var verifier = new Verifier(databases, TimeProvider.System);
            Assert.True(await verifier.SettleAsync(Waiting.HangLimit, _ => { }, CancellationToken.None));
            var report = await SetBackClock.VerifyAsync(
                () => verifier.RunAsync(CancellationToken.None),
                report => string.Join('\n', report.Checks.SelectMany(check => check.Findings)));
            Assert.Empty(report.Checks.SelectMany(check => check.Findings));
        }
        finally
        {
            foreach (var database in databases.Values) await database.DisposeAsync();
        }
    }

    static async Task<string> IdOfAsync(HttpClient client, string reference) =>
        (string)(await client.AskAsync($"/api/v1/orders?reference={reference}")).Json["items"]![0]!["id"]!;
}
