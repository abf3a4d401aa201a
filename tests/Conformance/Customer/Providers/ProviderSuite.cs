using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Properties of every payment provider, first of the provider alone, then of orders paid through the provider. The
/// gateway's own record decides.
/// </summary>
public abstract partial class ProviderSuite(SqliteEngine engine) : IAsyncLifetime
{
    static readonly Charge Held = new(1_530, 0, 0, false);
    static readonly Charge Taken = new(1_530, 1_530, 0, false);
    static readonly Charge Returned = new(1_530, 1_530, 1_530, false);
    static readonly Charge Released = new(1_530, 0, 0, true);

    GatewayFixture fixture = null!;
    readonly Guid order = Guid.CreateVersion7();

    /// <param name="holds">Lifetime of authorizations; null when the gateway reports none.</param>
    protected abstract Task<GatewayFixture> OpenAsync(TimeSpan? holds = null);

    public async ValueTask InitializeAsync() => fixture = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    GatewayRequest Authorize(Card card = Card.Good) => fixture.RequestFor(order, GatewayOperations.Authorize, card);

    async Task<string> AuthorizedAsync() =>
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(Authorize())).Reference;

    Task<GatewayResult> DoAsync(string operation, string charge, long amount, int n = 1) =>
        fixture.SendAsync(fixture.RequestFor(order, operation, charge: charge, amount: amount, n: n));

    async Task OnRecordAsync(params Charge[] charges) => Assert.Equal(charges, await fixture.ChargesAsync(order));

    [Theory]
    [InlineData(Card.Declined, null)]
    [InlineData(Card.InsufficientFunds, ReasonCodes.InsufficientFunds)]
    public async Task A_decline_is_repeated_for_every_retry(Card card, string? code)
    {
        var declined = Assert.IsType<GatewayResult.Declined>(await fixture.SendAsync(Authorize(card)));
        if (code is not null) Assert.Equal(code, declined.Code);
        Assert.Equal(declined, await fixture.SendAsync(Authorize(card)));
        Assert.Equal(declined, await fixture.FindAsync(Authorize(card)));
        await OnRecordAsync();
    }

    [Fact]
    public async Task A_duplicate_request_has_one_effect_and_one_result()
    {
        var first = await fixture.SendAsync(Authorize());
        Assert.IsType<GatewayResult.Succeeded>(first);
        Assert.Equal(first, await fixture.SendAsync(Authorize()));
        Assert.Equal(first, await fixture.FindAsync(Authorize()));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_charge_whose_response_is_lost_is_found_by_our_key_and_not_repeated()
    {
        await fixture.SendLostAsync(Authorize(Card.LostAfter));
        var found = Assert.IsType<GatewayResult.Succeeded>(await fixture.FindAsync(Authorize(Card.LostAfter)));
        Assert.Equal(found, await fixture.SendAsync(Authorize(Card.LostAfter)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_request_lost_before_the_charge_can_be_retried_under_its_key()
    {
        await fixture.SendLostAsync(Authorize(Card.LostBefore));
        Assert.IsType<GatewayResult.NeverHappened>(await fixture.FindAsync(Authorize(Card.LostBefore)));
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(Authorize(Card.LostBefore)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_server_error_is_not_a_refusal()
    {
        var result = await fixture.SendAsync(Authorize(Card.FailsOnce));
        Assert.True(result is GatewayResult.Unavailable or GatewayResult.Unknown, $"{result}");
        Assert.IsType<GatewayResult.NeverHappened>(await fixture.FindAsync(Authorize(Card.FailsOnce)));
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(Authorize(Card.FailsOnce)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task Held_money_is_captured_in_part_once_and_never_exceeded()
    {
        var charge = await AuthorizedAsync();
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1_531, n: 9));
        var captured = await DoAsync("capture", charge, 1_000);
        Assert.IsType<GatewayResult.Succeeded>(captured);
        Assert.Equal(captured, await DoAsync("capture", charge, 1_000));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1, n: 2));
        Assert.IsType<GatewayResult.Succeeded>(
            await fixture.FindAsync(fixture.RequestFor(order, "capture", charge: charge, amount: 1_000)));
        await OnRecordAsync(new Charge(1_530, 1_000, 0, false));
    }

    [Fact]
    public async Task Held_money_is_captured_in_several_parts_and_the_rest_released_if_the_gateway_can()
    {
        var charge = await AuthorizedAsync();
        if (!fixture.Provider.Capabilities.SeveralCaptures)
        {
            // Nothing may be left to capture, so the first shipment captures the whole amount.
            await DoAsync("capture", charge, 1_000);
            Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 530, n: 2));
            return;
        }
        Assert.IsType<GatewayResult.Succeeded>(await PartAsync(500, 0, 1));
        await OnRecordAsync(new Charge(1_530, 500, 0, false));
        Assert.IsType<GatewayResult.NeverHappened>(await fixture.FindAsync(Part(600, 500, 2)));
        var second = await PartAsync(600, 500, 2);
        Assert.IsType<GatewayResult.Succeeded>(second);
        Assert.Equal(second, await PartAsync(600, 500, 2));
        Assert.IsType<GatewayResult.Succeeded>(await fixture.FindAsync(Part(600, 500, 2)));
        Assert.IsType<GatewayResult.Declined>(await PartAsync(431, 1_100, 3));
        await OnRecordAsync(new Charge(1_530, 1_100, 0, false));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("void", charge, 430));
        Assert.IsType<GatewayResult.Declined>(await PartAsync(1, 1_100, 4));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("refund", charge, 1_100));
        await OnRecordAsync(new Charge(1_530, 1_100, 1_100, true));

        GatewayRequest Part(long amount, long before, int n) =>
            fixture.RequestFor(order, "capture", charge: charge, amount: amount, n: n) with
            {
                CapturedMinor = before, IsLast = false,
            };

        Task<GatewayResult> PartAsync(long amount, long before, int n) => fixture.SendAsync(Part(amount, before, n));
    }

    [Fact]
    public async Task Nothing_is_captured_after_the_reported_expiry_of_an_authorization()
    {
        await using var brief = await OpenAsync(TimeSpan.FromSeconds(2));
        var request = brief.RequestFor(order, GatewayOperations.Authorize);
        var before = SteadyTime.Shared.GetUtcNow();
        var held = Assert.IsType<GatewayResult.Succeeded>(await brief.SendAsync(request));
        // Some gateways report whole seconds.
        Assert.InRange(held.HoldsUntil!.Value, before.AddSeconds(1), SteadyTime.Shared.GetUtcNow().AddSeconds(2));
        Assert.Equal(held, await brief.FindAsync(request));
        await CustomerServer.UntilAsync(() => Task.FromResult(SteadyTime.Shared.GetUtcNow() > held.HoldsUntil));
        var capture = brief.RequestFor(order, GatewayOperations.Capture, charge: held.Reference);
        var refused = await brief.SendAsync(capture);
        Assert.IsType<GatewayResult.Declined>(refused);
        Assert.Equal(refused, await brief.SendAsync(capture));
        Assert.DoesNotContain(await brief.ChargesAsync(order), charge => charge.Captured > 0);
    }

    [Fact]
    public async Task Captured_money_is_refunded_in_parts_once_each_and_never_exceeded()
    {
        var charge = await AuthorizedAsync();
        await DoAsync("capture", charge, 1_000);
        Assert.IsType<GatewayResult.NeverHappened>(
            await fixture.FindAsync(fixture.RequestFor(order, "refund", charge: charge, amount: 600)));
        var refunded = await DoAsync("refund", charge, 600);
        Assert.IsType<GatewayResult.Succeeded>(refunded);
        Assert.Equal(refunded, await DoAsync("refund", charge, 600));
        Assert.Equal(refunded, await fixture.FindAsync(fixture.RequestFor(order, "refund", charge: charge, amount: 600)));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("refund", charge, 401, n: 2));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("refund", charge, 400, n: 3));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("refund", charge, 1, n: 4));
        await OnRecordAsync(new Charge(1_530, 1_000, 1_000, false));
    }

    [Fact]
    public async Task Held_money_can_be_released_and_captured_money_cannot()
    {
        var charge = await AuthorizedAsync();
        var released = await DoAsync("void", charge, 1_530);
        Assert.IsType<GatewayResult.Succeeded>(released);
        Assert.Equal(released, await DoAsync("void", charge, 1_530));
        Assert.Equal(released, await fixture.FindAsync(fixture.RequestFor(order, "void", charge: charge)));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1_530));
        await OnRecordAsync(Released);

        var other = Guid.CreateVersion7();
        var taken = await AuthorizeAsync(other);
        await fixture.SendAsync(fixture.RequestFor(other, "capture", charge: taken));
        Assert.IsType<GatewayResult.Declined>(await fixture.SendAsync(fixture.RequestFor(other, "void", charge: taken)));
        Assert.Equal([Taken], await fixture.ChargesAsync(other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_required_action_ends_with_the_customers_decision(bool approves)
    {
        var request = Authorize(Card.RequiresAction);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await fixture.SendAsync(request));
        Assert.True(Uri.TryCreate(action.Url, UriKind.RelativeOrAbsolute, out _));
        Assert.IsType<GatewayResult.ActionRequired>(await fixture.FindAsync(request with { Reference = action.Reference }));
        await fixture.ActAsync(order, approves);
        var settled = await fixture.FindAsync(request with { Reference = action.Reference });
        if (approves) Assert.Equal(new GatewayResult.Succeeded(action.Reference), settled);
        else Assert.IsType<GatewayResult.Declined>(settled);
        var webhook = await fixture.WebhookAsync(order, SteadyTime.Shared.GetUtcNow());
        var read = Assert.IsType<WebhookReading.Genuine>(fixture.Provider.ReadWebhook(
            webhook.Headers, System.Text.Encoding.UTF8.GetBytes(webhook.Body), SteadyTime.Shared.GetUtcNow()));
        Assert.Equal((request.Key, settled), (Assert.Single(read.Events).Key, read.Events[0].Result));
    }

    [Fact]
    public async Task A_forged_old_or_altered_webhook_is_rejected()
    {
        await AuthorizedAsync();
        var now = SteadyTime.Shared.GetUtcNow();
        var webhook = await fixture.WebhookAsync(order, now);
        WebhookReading Read(Delivery delivery, DateTimeOffset at) =>
            fixture.Provider.ReadWebhook(delivery.Headers, System.Text.Encoding.UTF8.GetBytes(delivery.Body), at);
        Assert.IsType<WebhookReading.Genuine>(Read(webhook, now.AddMinutes(4)));
        Assert.IsType<WebhookReading.Forged>(Read(webhook, now.AddMinutes(6)));
        Assert.IsType<WebhookReading.Forged>(Read(webhook, now.AddMinutes(-6)));
        Assert.IsType<WebhookReading.Forged>(Read(webhook with { Body = webhook.Body + " " }, now));
        Assert.IsType<WebhookReading.Forged>(Read(webhook with { Signature = "" }, now));
    }

    [Fact]
    public async Task The_list_contains_the_current_state_of_every_charge()
    {
        var (taken, released, waiting, declined) =
            (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var held = await AuthorizedAsync();
        var charge = await AuthorizeAsync(taken);
        await fixture.SendAsync(fixture.RequestFor(taken, "capture", charge: charge, amount: 1_000));
        await fixture.SendAsync(fixture.RequestFor(taken, "refund", charge: charge, amount: 400));
        await fixture.SendAsync(fixture.RequestFor(taken, "refund", charge: charge, amount: 100, n: 2));
        await fixture.SendAsync(fixture.RequestFor(released, "void", charge: await AuthorizeAsync(released)));
        await fixture.SendAsync(fixture.RequestFor(waiting, "authorize", Card.RequiresAction));
        await fixture.SendAsync(fixture.RequestFor(declined, "authorize", Card.Declined));

        var listed = (await ListedAsync(DateTimeOffset.UnixEpoch, Never)).ToDictionary(one => one.OrderId!.Value);

        Assert.Equal((held, "GBP", 1_530, 0, 0), AmountsOf(listed[order]));
        Assert.Equal((charge, "GBP", 0, 1_000, 500), AmountsOf(listed[taken]));
        Assert.Equal((0, 0, 0), (listed[released].HeldMinor, listed[released].CapturedMinor, listed[released].RefundedMinor));
        foreach (var without in new[] { waiting, declined, released })
            Assert.False(listed.TryGetValue(without, out var one) && one.HasMoney);
        Assert.Empty(await ListedAsync(Never, Never.AddYears(1)));
        Assert.Contains(charge, fixture.Provider.Charges!.CallToReturn(listed[taken], 500), StringComparison.Ordinal);
        Assert.Contains("500", fixture.Provider.Charges!.CallToReturn(listed[taken], 500), StringComparison.Ordinal);
        Assert.Contains(held, fixture.Provider.Charges!.CallToReturn(listed[order], 0), StringComparison.Ordinal);

        static (string, string, long, long, long) AmountsOf(ListedCharge one) =>
            (one.Reference, one.Currency, one.HeldMinor, one.CapturedMinor, one.RefundedMinor);
    }

    [Fact]
    public async Task A_list_of_several_pages_contains_each_charge_once()
    {
        const int Many = 510;
        var charges = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => AuthorizeAsync(Guid.CreateVersion7())));
        var listed = await ListedAsync(DateTimeOffset.UnixEpoch, Never);
        Assert.Equal(charges.Order(StringComparer.Ordinal), listed.Select(one => one.Reference).Order(StringComparer.Ordinal));
    }

    static readonly DateTimeOffset Never = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    async Task<string> AuthorizeAsync(Guid of) =>
        Assert.IsType<GatewayResult.Succeeded>(await fixture.SendAsync(fixture.RequestFor(of, "authorize"))).Reference;

    async Task<List<ListedCharge>> ListedAsync(DateTimeOffset from, DateTimeOffset to)
    {
        var all = new List<ListedCharge>();
        string? cursor = null;
        do
        {
            var page = await fixture.Provider.Charges!.ListAsync(from, to, cursor, default);
            all.AddRange(page.Charges);
            cursor = page.Next;
        }
        while (cursor is not null);
        return all;
    }
}
