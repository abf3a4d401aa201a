using Orderwright.Conformance.Storage;
using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.CustomerService.Providers;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// What holds of every payment provider: first of the provider alone, then of orders that are paid through it. What the
/// gateway itself has on record decides.
/// </summary>
public abstract class ProviderSuite(SqliteEngine engine) : IAsyncLifetime
{
    static readonly Charge Held = new(1_530, 0, 0, false);
    static readonly Charge Taken = new(1_530, 1_530, 0, false);
    static readonly Charge Returned = new(1_530, 1_530, 1_530, false);
    static readonly Charge Released = new(1_530, 0, 0, true);

    GatewayHouse house = null!;
    readonly Guid order = Guid.CreateVersion7();

    /// <param name="holds">How long the gateway holds money; null: it does not say.</param>
    protected abstract Task<GatewayHouse> OpenAsync(TimeSpan? holds = null);

    public async ValueTask InitializeAsync() => house = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await house.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    GatewayRequest Authorize(Card card = Card.Good) => house.Ask(order, GatewayOperations.Authorize, card);

    async Task<string> AuthorizedAsync() =>
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(Authorize())).Reference;

    Task<GatewayResult> DoAsync(string operation, string charge, long amount, int n = 1) =>
        house.DoAsync(house.Ask(order, operation, charge: charge, amount: amount, n: n));

    async Task OnRecordAsync(params Charge[] charges) => Assert.Equal(charges, await house.ChargesAsync(order));

    [Theory]
    [InlineData(Card.Declined, null)]
    [InlineData(Card.InsufficientFunds, ReasonCodes.InsufficientFunds)]
    public async Task A_decline_is_a_decline_however_often_it_is_asked_for(Card card, string? code)
    {
        var declined = Assert.IsType<GatewayResult.Declined>(await house.DoAsync(Authorize(card)));
        if (code is not null) Assert.Equal(code, declined.Code);
        Assert.Equal(declined, await house.DoAsync(Authorize(card)));
        Assert.Equal(declined, await house.FindAsync(Authorize(card)));
        await OnRecordAsync();
    }

    [Fact]
    public async Task A_duplicate_request_has_one_effect_and_one_answer()
    {
        var first = await house.DoAsync(Authorize());
        Assert.IsType<GatewayResult.Succeeded>(first);
        Assert.Equal(first, await house.DoAsync(Authorize()));
        Assert.Equal(first, await house.FindAsync(Authorize()));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_time_out_after_the_charge_is_found_by_our_key_and_not_charged_again()
    {
        await house.LoseAsync(Authorize(Card.LostAfter));
        var found = Assert.IsType<GatewayResult.Succeeded>(await house.FindAsync(Authorize(Card.LostAfter)));
        Assert.Equal(found, await house.DoAsync(Authorize(Card.LostAfter)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_time_out_before_the_charge_never_happened_and_may_go_again_under_its_key()
    {
        await house.LoseAsync(Authorize(Card.LostBefore));
        Assert.IsType<GatewayResult.NeverHappened>(await house.FindAsync(Authorize(Card.LostBefore)));
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(Authorize(Card.LostBefore)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task A_server_error_is_no_refusal()
    {
        var answer = await house.DoAsync(Authorize(Card.FailsOnce));
        Assert.True(answer is GatewayResult.Unavailable or GatewayResult.Unknown, $"{answer}");
        Assert.IsType<GatewayResult.NeverHappened>(await house.FindAsync(Authorize(Card.FailsOnce)));
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(Authorize(Card.FailsOnce)));
        await OnRecordAsync(Held);
    }

    [Fact]
    public async Task What_is_held_is_captured_once_in_part_and_never_over()
    {
        var charge = await AuthorizedAsync();
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1_531, n: 9));
        var captured = await DoAsync("capture", charge, 1_000);
        Assert.IsType<GatewayResult.Succeeded>(captured);
        Assert.Equal(captured, await DoAsync("capture", charge, 1_000));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1, n: 2));
        Assert.IsType<GatewayResult.Succeeded>(
            await house.FindAsync(house.Ask(order, "capture", charge: charge, amount: 1_000)));
        await OnRecordAsync(new Charge(1_530, 1_000, 0, false));
    }

    [Fact]
    public async Task What_is_held_is_captured_part_by_part_never_over_and_its_rest_released_where_the_gateway_can()
    {
        var charge = await AuthorizedAsync();
        if (!house.Provider.Capabilities.SeveralCaptures)
        {
            // Then nothing may be left to capture: what is shipped first takes the whole.
            await DoAsync("capture", charge, 1_000);
            Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 530, n: 2));
            return;
        }
        Assert.IsType<GatewayResult.Succeeded>(await PartAsync(500, 0, 1));
        await OnRecordAsync(new Charge(1_530, 500, 0, false));
        Assert.IsType<GatewayResult.NeverHappened>(await house.FindAsync(Part(600, 500, 2)));
        var second = await PartAsync(600, 500, 2);
        Assert.IsType<GatewayResult.Succeeded>(second);
        Assert.Equal(second, await PartAsync(600, 500, 2));
        Assert.IsType<GatewayResult.Succeeded>(await house.FindAsync(Part(600, 500, 2)));
        Assert.IsType<GatewayResult.Declined>(await PartAsync(431, 1_100, 3));
        await OnRecordAsync(new Charge(1_530, 1_100, 0, false));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("void", charge, 430));
        Assert.IsType<GatewayResult.Declined>(await PartAsync(1, 1_100, 4));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("refund", charge, 1_100));
        await OnRecordAsync(new Charge(1_530, 1_100, 1_100, true));

        GatewayRequest Part(long amount, long before, int n) =>
            house.Ask(order, "capture", charge: charge, amount: amount, n: n) with { CapturedMinor = before, IsLast = false };

        Task<GatewayResult> PartAsync(long amount, long before, int n) => house.DoAsync(Part(amount, before, n));
    }

    [Fact]
    public async Task An_authorization_says_until_when_it_holds_and_nothing_is_captured_after_that()
    {
        await using var brief = await OpenAsync(TimeSpan.FromSeconds(2));
        var asked = brief.Ask(order, GatewayOperations.Authorize);
        var before = TimeProvider.System.GetUtcNow();
        var held = Assert.IsType<GatewayResult.Succeeded>(await brief.DoAsync(asked));
        // Whole seconds at some gateways.
        Assert.InRange(held.HoldsUntil!.Value, before.AddSeconds(1), TimeProvider.System.GetUtcNow().AddSeconds(2));
        Assert.Equal(held, await brief.FindAsync(asked));
        await CustomerServer.UntilAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow() > held.HoldsUntil));
        var capture = brief.Ask(order, GatewayOperations.Capture, charge: held.Reference);
        var refused = await brief.DoAsync(capture);
        Assert.IsType<GatewayResult.Declined>(refused);
        Assert.Equal(refused, await brief.DoAsync(capture));
        Assert.DoesNotContain(await brief.ChargesAsync(order), charge => charge.Captured > 0);
    }

    [Fact]
    public async Task Money_is_taken_with_what_is_shipped_and_the_gateways_record_is_ours()
    {
        await using var server = await ServerAsync();
        var several = house.Provider.Capabilities.SeveralCaptures;
        await server.AskAsync(order, Pay(Card.Good));
        await server.TellAsync(order, new TakeShipped(510, Close: false));
        await UntilOnRecordAsync(several ? new Charge(1_530, 510, 0, false) : Taken);
        await server.TellAsync(order, new TakeShipped(510, Close: false));
        await CustomerServer.UntilAsync(async () => (string?)(await server.PaymentAsync(order))["state"] != "capturing");
        await server.TellAsync(order, new TakeShipped(1_530, Close: false));
        await UntilOnRecordAsync(Taken);
        await CustomerServer.UntilAsync(async () => (string?)(await server.PaymentAsync(order))["status"] == "paid");
        Assert.Equal(
            several ? [510L, 1_020L] : [1_530L],
            (await server.PaymentAsync(order))["captures"]!.AsArray().Select(one => (long)one!["amount"]!));
    }

    async Task UntilOnRecordAsync(Charge charge)
    {
        await CustomerServer.UntilAsync(async () => (await house.ChargesAsync(order)) is [var its] && its == charge);
        await OnRecordAsync(charge);
    }

    [Fact]
    public async Task What_was_captured_is_refunded_part_by_part_each_once_and_never_above_it()
    {
        var charge = await AuthorizedAsync();
        await DoAsync("capture", charge, 1_000);
        Assert.IsType<GatewayResult.NeverHappened>(
            await house.FindAsync(house.Ask(order, "refund", charge: charge, amount: 600)));
        var refunded = await DoAsync("refund", charge, 600);
        Assert.IsType<GatewayResult.Succeeded>(refunded);
        Assert.Equal(refunded, await DoAsync("refund", charge, 600));
        Assert.Equal(refunded, await house.FindAsync(house.Ask(order, "refund", charge: charge, amount: 600)));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("refund", charge, 401, n: 2));
        Assert.IsType<GatewayResult.Succeeded>(await DoAsync("refund", charge, 400, n: 3));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("refund", charge, 1, n: 4));
        await OnRecordAsync(new Charge(1_530, 1_000, 1_000, false));
    }

    [Fact]
    public async Task What_is_held_can_be_released_and_what_was_taken_cannot()
    {
        var charge = await AuthorizedAsync();
        var released = await DoAsync("void", charge, 1_530);
        Assert.IsType<GatewayResult.Succeeded>(released);
        Assert.Equal(released, await DoAsync("void", charge, 1_530));
        Assert.Equal(released, await house.FindAsync(house.Ask(order, "void", charge: charge)));
        Assert.IsType<GatewayResult.Declined>(await DoAsync("capture", charge, 1_530));
        await OnRecordAsync(Released);

        var other = Guid.CreateVersion7();
        var taken = Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(other, "authorize"))).Reference;
        await house.DoAsync(house.Ask(other, "capture", charge: taken));
        Assert.IsType<GatewayResult.Declined>(await house.DoAsync(house.Ask(other, "void", charge: taken)));
        Assert.Equal([Taken], await house.ChargesAsync(other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_action_waits_for_the_customer_and_ends_as_they_decide(bool approves)
    {
        var asked = Authorize(Card.RequiresAction);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await house.DoAsync(asked));
        Assert.True(Uri.TryCreate(action.Url, UriKind.RelativeOrAbsolute, out _));
        Assert.IsType<GatewayResult.ActionRequired>(await house.FindAsync(asked with { Reference = action.Reference }));
        await house.ActAsync(order, approves);
        var settled = await house.FindAsync(asked with { Reference = action.Reference });
        if (approves) Assert.Equal(new GatewayResult.Succeeded(action.Reference), settled);
        else Assert.IsType<GatewayResult.Declined>(settled);
        var told = await house.TellAsync(order, TimeProvider.System.GetUtcNow());
        var read = Assert.IsType<WebhookReading.Genuine>(house.Provider.ReadWebhook(
            told.Headers, System.Text.Encoding.UTF8.GetBytes(told.Body), TimeProvider.System.GetUtcNow()));
        Assert.Equal((asked.Key, settled), (Assert.Single(read.Events).Key, read.Events[0].Result));
    }

    [Fact]
    public async Task A_webhook_that_is_forged_or_old_or_altered_is_not_believed()
    {
        await AuthorizedAsync();
        var now = TimeProvider.System.GetUtcNow();
        var told = await house.TellAsync(order, now);
        WebhookReading Read(Delivery delivery, DateTimeOffset at) =>
            house.Provider.ReadWebhook(delivery.Headers, System.Text.Encoding.UTF8.GetBytes(delivery.Body), at);
        Assert.IsType<WebhookReading.Genuine>(Read(told, now.AddMinutes(4)));
        Assert.IsType<WebhookReading.Forged>(Read(told, now.AddMinutes(6)));
        Assert.IsType<WebhookReading.Forged>(Read(told, now.AddMinutes(-6)));
        Assert.IsType<WebhookReading.Forged>(Read(told with { Body = told.Body + " " }, now));
        Assert.IsType<WebhookReading.Forged>(Read(told with { Signature = "" }, now));
    }

    [Fact]
    public async Task Its_list_has_every_charge_as_it_stands()
    {
        var (taken, released, waiting, declined) =
            (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var held = await AuthorizedAsync();
        var charge = await AuthorizeAsync(taken);
        await house.DoAsync(house.Ask(taken, "capture", charge: charge, amount: 1_000));
        await house.DoAsync(house.Ask(taken, "refund", charge: charge, amount: 400));
        await house.DoAsync(house.Ask(taken, "refund", charge: charge, amount: 100, n: 2));
        await house.DoAsync(house.Ask(released, "void", charge: await AuthorizeAsync(released)));
        await house.DoAsync(house.Ask(waiting, "authorize", Card.RequiresAction));
        await house.DoAsync(house.Ask(declined, "authorize", Card.Declined));

        var listed = (await ListedAsync(DateTimeOffset.UnixEpoch, Never)).ToDictionary(one => one.OrderId!.Value);

        Assert.Equal((held, "GBP", 1_530, 0, 0), Told(listed[order]));
        Assert.Equal((charge, "GBP", 0, 1_000, 500), Told(listed[taken]));
        Assert.Equal((0, 0, 0), (listed[released].HeldMinor, listed[released].CapturedMinor, listed[released].RefundedMinor));
        foreach (var without in new[] { waiting, declined, released })
            Assert.False(listed.TryGetValue(without, out var one) && one.HasMoney);
        Assert.Empty(await ListedAsync(Never, Never.AddYears(1)));
        Assert.Contains(charge, house.Provider.Charges!.CallToReturn(listed[taken], 500), StringComparison.Ordinal);
        Assert.Contains("500", house.Provider.Charges!.CallToReturn(listed[taken], 500), StringComparison.Ordinal);
        Assert.Contains(held, house.Provider.Charges!.CallToReturn(listed[order], 0), StringComparison.Ordinal);

        static (string, string, long, long, long) Told(ListedCharge one) =>
            (one.Reference, one.Currency, one.HeldMinor, one.CapturedMinor, one.RefundedMinor);
    }

    [Fact]
    public async Task A_list_of_many_pages_has_each_charge_once()
    {
        const int Many = 510;
        var charges = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => AuthorizeAsync(Guid.CreateVersion7())));
        var listed = await ListedAsync(DateTimeOffset.UnixEpoch, Never);
        Assert.Equal(charges.Order(StringComparer.Ordinal), listed.Select(one => one.Reference).Order(StringComparer.Ordinal));
    }

    static readonly DateTimeOffset Never = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    async Task<string> AuthorizeAsync(Guid of) =>
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(of, "authorize"))).Reference;

    async Task<List<ListedCharge>> ListedAsync(DateTimeOffset from, DateTimeOffset to)
    {
        var all = new List<ListedCharge>();
        string? cursor = null;
        do
        {
            var page = await house.Provider.Charges!.ListAsync(from, to, cursor, default);
            all.AddRange(page.Charges);
            cursor = page.Next;
        }
        while (cursor is not null);
        return all;
    }

    [Fact]
    public async Task An_order_is_held_taken_and_refunded_and_the_gateways_record_is_ours()
    {
        await using var server = await ServerAsync();
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, Pay(Card.Good))).Outcome);
        await OnRecordAsync(Held);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), (await server.AskAsync(order, new CapturePayment())).Payment);
        await OnRecordAsync(Taken);
        var undone = await server.AskAsync(order, new UndoPayment("cancelled"));
        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), undone.Payment);
        await OnRecordAsync(Returned);
    }

    [Theory]
    [InlineData(Card.LostAfter)]
    [InlineData(Card.LostBefore)]
    [InlineData(Card.FailsOnce)]
    public async Task An_order_whose_gateway_stumbles_is_charged_once(Card card)
    {
        await using var server = await ServerAsync();
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.AskAsync(order, Pay(card))).Payment);
        await OnRecordAsync(Held);
        Assert.Single((await server.PaymentAsync(order))["attempts"]!.AsArray());
    }

    [Theory]
    [InlineData(Card.Declined, ReasonCodes.PaymentDeclined)]
    [InlineData(Card.InsufficientFunds, ReasonCodes.InsufficientFunds)]
    public async Task An_order_is_told_why_it_was_declined(Card card, string code)
    {
        await using var server = await ServerAsync();
        var answer = await server.AskAsync(order, Pay(card));
        Assert.Equal((StepOutcome.Rejected, code), (answer.Outcome, answer.Code));
    }

    [Fact]
    public async Task A_late_success_on_a_cancelled_order_is_given_back_by_itself()
    {
        await using var server = await ServerAsync();
        await server.TellAsync(order, Pay(Card.LostAfter));
        await CustomerServer.UntilAsync(async () => (await house.ChargesAsync(order)).Count == 1);
        await server.TellAsync(order, new UndoPayment("cancelled"));
        StepAnswered answer;
        do answer = await server.SettledAsync(order);
        while (!answer.Undo);
        Assert.Equal((StepOutcome.Completed, true), (answer.Outcome, answer.Payment!.Voided));
        await OnRecordAsync(Released);
    }

    [Fact]
    public async Task A_webhook_that_comes_early_twice_late_and_out_of_order_settles_once()
    {
        await using var server = await ServerAsync();
        var waiting = await server.AskAsync(order, Pay(Card.RequiresAction));
        Assert.Equal(StepOutcome.Waiting, waiting.Outcome);
        await house.ActAsync(order, approve: true);
        var approved = await house.TellAsync(order, TimeProvider.System.GetUtcNow());
        Assert.Equal((200, 200), (await SendAsync(server, approved), await SendAsync(server, approved)));
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal(new PaymentTotals(1_530, 1_530, 0, false), (await server.AskAsync(order, new CapturePayment())).Payment);
        // What stood before the capture is told again, and has no effect.
        Assert.Equal(200, await SendAsync(server, approved));
        Assert.Equal("captured", (string?)(await server.PaymentAsync(order))["state"]);
        await OnRecordAsync(Taken);

        var early = Guid.CreateVersion7();
        await server.TellAsync(early, Pay(Card.LostAfter));
        await CustomerServer.UntilAsync(async () => (await house.ChargesAsync(early)).Count == 1);
        Assert.Equal(200, await SendAsync(server, await house.TellAsync(early, TimeProvider.System.GetUtcNow())));
        Assert.Equal(new PaymentTotals(1_530, 0, 0, false), (await server.SettledAsync(early)).Payment);
        Assert.Equal([Held], await house.ChargesAsync(early));
    }

    [Fact]
    public async Task A_forged_webhook_is_401_and_leaves_no_trace()
    {
        await using var server = await ServerAsync();
        await server.AskAsync(order, Pay(Card.RequiresAction));
        await house.ActAsync(order, approve: true);
        var told = await house.TellAsync(order, TimeProvider.System.GetUtcNow());
        Assert.Equal(401, await SendAsync(server, told with { Body = told.Body.Replace("1530", "1") + " " }));
        Assert.Equal(401, await SendAsync(server, await house.TellAsync(order, TimeProvider.System.GetUtcNow().AddMinutes(-6))));
        Assert.Empty(await server.QueryAsync("SELECT event_id FROM gateway_events", row => row.Text(0)));
    }

    [Fact]
    public async Task An_undo_while_the_customer_may_act_closes_the_action()
    {
        await using var server = await ServerAsync();
        await server.AskAsync(order, Pay(Card.RequiresAction));
        Assert.True((await server.AskAsync(order, new UndoPayment("expired"))).Undo);
        Assert.DoesNotContain(await house.ChargesAsync(order), charge => !charge.Voided);
        Assert.Contains((string?)(await server.PaymentAsync(order))["state"], (string[])["voided", "undone"]);
    }

    AuthorizePayment Pay(Card card) => CustomerServer.Pay(house.Provider.Name, house.TokenOf(card));

    async Task<CustomerServer> ServerAsync()
    {
        var server = await CustomerServer.StartAsync(engine, house.Provider);
        await server.AddCustomerAsync();
        return server;
    }

    async Task<int> SendAsync(CustomerServer server, Delivery delivery) =>
        (await server.SendAsync(
            "POST", $"webhooks/{house.Provider.Name}", delivery.Body,
            header: (delivery.SignatureHeader, delivery.Signature))).Status;
}
