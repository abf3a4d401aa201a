using System.Text.Json.Nodes;
using Orderwright.Conformance.Orders;
using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.SagaCoordinator.Notices;
using static Orderwright.Conformance.Coordinator.TestMessages;

namespace Orderwright.Conformance.Coordinator;

/// <summary>Notices of incidents, to receivers written by others, on every engine.</summary>
public abstract class NoticeSuite(StorageEngine engine) : IAsyncLifetime
{
    static readonly StepAnswered Stuck = new(true, StepOutcome.Rejected, "not_found", "No such hold.");

    readonly string secret = WebhookSignature.NewSecret();
    readonly TestClock clock = new() { Now = DateTimeOffset.UtcNow };
    string address = "";
    WebhookReceiver webhooks = null!;
    MailReceiver mails = null!;
    TestCoordinator coordinator = null!;

    public async ValueTask InitializeAsync()
    {
        address = await engine.NewAddressAsync();
        webhooks = await WebhookReceiver.StartAsync();
        mails = new MailReceiver();
        coordinator = await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await coordinator.DisposeAsync();
        await mails.DisposeAsync();
        await webhooks.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task New_worse_and_resolved_incidents_are_told_once_each_by_signed_webhook_and_by_mail()
    {
        var first = await StickAsync(1);
        await NoticeAsync(1);
        var (webhook, mail) = (webhooks.Received[0], mails.Received[0]);
        webhook.Verify(secret);
        Assert.Equal(("incidents.changed", "new", 1), Of(webhook.Json));
        Assert.Contains("1 new at", mail.Subject, StringComparison.Ordinal);
        Assert.Equal(["ops@example.com", "lead@example.com"], mail.To.Mailboxes.Select(to => to.Address));

        // The same incident is not told again, nor is a number that grew by less than twice.
        await NothingAsync();
        var more = await StickAsync(2);
        await NoticeAsync(2);
        Assert.Equal(("incidents.changed", "worse", 3), Of(webhooks.Received[1].Json));
        more = [.. more, .. await StickAsync(1)];
        await NothingAsync();

        await coordinator.ReceiveAsync([.. first.Concat(more).Select(id => Answer(id, StepNames.ReserveStock, Done))]);
        await NoticeAsync(3);
        Assert.Equal(("incidents.changed", "resolved", 0), Of(webhooks.Received[2].Json));
        Assert.Contains("resolved at", mails.Received[2].Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_channel_is_retried_under_the_same_id_and_the_other_sends_nothing_twice()
    {
        var ids = new List<string>();
        webhooks.Respond = message =>
        {
            lock (ids) ids.Add(message.Id);
            return ids.Count == 1 ? 500 : 200;
        };
        await StickAsync(1);
        Assert.True(await SendAsync());
        clock.Now += NoticeRules.LongestPause;
        Assert.True(await SendAsync());
        Assert.Single(webhooks.Received);
        Assert.Equal(2, ids.Count);
        Assert.Single(ids.Distinct());
        Assert.Single(mails.Received);
    }

    [Fact]
    public async Task Of_two_instances_one_sends()
    {
        await StickAsync(1);
        var read = await coordinator.NoticeVersionAsync();
        await coordinator.PrepareNoticeAsync();
        await using var other = await StartAsync();
        Assert.Equal(0, await other.PrepareNoticeAsync());
        await OutcomeAsync(read);
        await NothingAsync();
        Assert.Single(mails.Received);
    }

    [Fact]
    public async Task In_quiet_hours_nothing_is_sent_and_afterwards_everything_in_one_notice()
    {
        await coordinator.DisposeAsync();
        clock.Now = clock.Now.UtcDateTime.Date.AddDays(1).AddHours(23);
        coordinator = await StartAsync("22:00-06:30");
        await StickAsync(2);
        await NothingAsync();
        clock.Now = clock.Now.AddHours(7.3);
        await NothingAsync();
        clock.Now = clock.Now.AddHours(0.2);
        await NoticeAsync(1);
        Assert.Equal(("incidents.changed", "new", 2), Of(webhooks.Received[0].Json));
    }

    async Task<TestCoordinator> StartAsync(string quiet = "")
    {
        var started = await TestCoordinator.StartAsync(engine, address, clock, new Dictionary<string, string?>
        {
            ["NoticeUrl"] = webhooks.Url, ["NoticeSecret"] = secret, ["NoticeSmtp"] = $"smtp://127.0.0.1:{mails.Port}",
            ["NoticeFrom"] = "Orderwright <orders@example.com>", ["NoticeTo"] = "ops@example.com, lead@example.com",
            ["NoticeQuiet"] = quiet,
        });
        await started.ServeAsync();
        await started.PrepareNoticeAsync();
        return started;
    }

    // Orders whose undo of the reservation was refused.
    async Task<IReadOnlyList<Guid>> StickAsync(int count)
    {
        var orders = NewOrders(count);
        await coordinator.ReceiveAsync(Placed(orders));
        await coordinator.ReceiveAsync(Reserved(orders));
        await coordinator.ReceiveAsync(Rejected(orders, StepNames.AuthorizePayment));
        await coordinator.ReceiveAsync([.. orders.Select(id => Answer(id, StepNames.ReserveStock, Stuck))]);
        return orders;
    }

    static readonly StepAnswered Done = new(true, StepOutcome.Completed);

    async Task NoticeAsync(int count)
    {
        await Waiting.UntilAsync(async () =>
        {
            if (!await SendAsync()) clock.Now += TimeSpan.FromMinutes(1);
            return webhooks.Received.Count >= count && mails.Received.Count >= count;
        });
        clock.Now += TimeSpan.FromMinutes(6);
        Assert.Equal((count, count), (webhooks.Received.Count, mails.Received.Count));
    }

    // Sends a notice if one is due, and waits for its outcome: the clock must not pass the lease of a notice under way.
    async Task<bool> SendAsync()
    {
        var read = await coordinator.NoticeVersionAsync();
        if (await coordinator.PrepareNoticeAsync() == 0) return false;
        await OutcomeAsync(read);
        return true;
    }

    Task OutcomeAsync(long read) => Waiting.UntilAsync(async () => await coordinator.NoticeVersionAsync() == read + 2);

    async Task NothingAsync()
    {
        var before = (webhooks.Received.Count, mails.Received.Count);
        for (var i = 0; i < 3; i++)
        {
            clock.Now += TimeSpan.FromMinutes(1);
            await coordinator.PrepareNoticeAsync();
        }
        Assert.Equal(before, (webhooks.Received.Count, mails.Received.Count));
    }

    static (string Type, string Kind, int Count) Of(JsonNode body) => (
        (string)body["type"]!, (string)body["data"]!["changes"]![0]!["kind"]!, (int)body["data"]!["changes"]![0]!["count"]!);
}

public sealed class PostgresNoticeTests(PostgresEngine engine) : NoticeSuite(engine), IClassFixture<PostgresEngine>;

public sealed class SqliteNoticeTests(SqliteEngine engine) : NoticeSuite(engine), IClassFixture<SqliteEngine>;
