using Orderwright.Contracts;

namespace Orderwright.Conformance.Customer.Providers;

// Orders paid through the provider.
public abstract partial class ProviderSuite
{
    [Fact]
    public async Task Money_is_authorized_captured_and_refunded_and_both_records_agree()
    {
        await using var server = await ServerAsync();
        Assert.Equal(StepOutcome.Completed, (await server.AskAsync(order, Pay(Card.Good))).Outcome);
        await OnRecordAsync(Held);
        Assert.Equal(
            new PaymentTotals(1_530, 1_530, 0, false),
            (await server.AskAsync(order, new CapturePayment())).Payment! with { Version = 0 });
        await OnRecordAsync(Taken);
        var undone = await server.AskAsync(order, new UndoPayment("cancelled"));
        Assert.Equal(new PaymentTotals(1_530, 1_530, 1_530, false), undone.Payment! with { Version = 0 });
        await OnRecordAsync(Returned);
    }

    [Fact]
    public async Task Money_is_captured_with_shipments_and_both_records_agree()
    {
        await using var server = await ServerAsync();
        var several = fixture.Provider.Capabilities.SeveralCaptures;
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
        await CustomerServer.UntilAsync(async () => (await fixture.ChargesAsync(order)) is [var only] && only == charge);
        await OnRecordAsync(charge);
    }

    [Theory]
    [InlineData(Card.LostAfter)]
    [InlineData(Card.LostBefore)]
    [InlineData(Card.FailsOnce)]
    public async Task An_order_is_charged_once_despite_a_failing_gateway(Card card)
    {
        await using var server = await ServerAsync();
        Assert.Equal(
            new PaymentTotals(1_530, 0, 0, false),
            (await server.AskAsync(order, Pay(card))).Payment! with { Version = 0 });
        await OnRecordAsync(Held);
        Assert.Single((await server.PaymentAsync(order))["attempts"]!.AsArray());
    }

    [Theory]
    [InlineData(Card.Declined, ReasonCodes.PaymentDeclined)]
    [InlineData(Card.InsufficientFunds, ReasonCodes.InsufficientFunds)]
    public async Task A_declined_order_receives_the_reason(Card card, string code)
    {
        await using var server = await ServerAsync();
        var answer = await server.AskAsync(order, Pay(card));
        Assert.Equal((StepOutcome.Rejected, code), (answer.Outcome, answer.Code));
    }

    [Fact]
    public async Task A_late_success_of_a_cancelled_order_is_reversed_automatically()
    {
        await using var server = await ServerAsync();
        await server.TellAsync(order, Pay(Card.LostAfter));
        await CustomerServer.UntilAsync(async () => (await fixture.ChargesAsync(order)).Count == 1);
        await server.TellAsync(order, new UndoPayment("cancelled"));
        StepAnswered answer;
        do answer = await server.SettledAsync(order);
        while (!answer.Undo);
        Assert.Equal((StepOutcome.Completed, true), (answer.Outcome, answer.Payment!.Voided));
        await OnRecordAsync(Released);
    }

    [Fact]
    public async Task Early_duplicate_late_and_reordered_webhooks_settle_once()
    {
        await using var server = await ServerAsync();
        var waiting = await server.AskAsync(order, Pay(Card.RequiresAction));
        Assert.Equal(StepOutcome.Waiting, waiting.Outcome);
        await fixture.ActAsync(order, approve: true);
        var approved = await fixture.WebhookAsync(order, SteadyTime.Shared.GetUtcNow());
        Assert.Equal((200, 200), (await SendAsync(server, approved), await SendAsync(server, approved)));
        Assert.Equal(StepOutcome.Completed, (await server.SettledAsync(order)).Outcome);
        Assert.Equal(
            new PaymentTotals(1_530, 1_530, 0, false),
            (await server.AskAsync(order, new CapturePayment())).Payment! with { Version = 0 });
        // A repeated webhook from before the capture has no effect.
        Assert.Equal(200, await SendAsync(server, approved));
        Assert.Equal("captured", (string?)(await server.PaymentAsync(order))["state"]);
        await OnRecordAsync(Taken);

        var early = Guid.CreateVersion7();
        await server.TellAsync(early, Pay(Card.LostAfter));
        await CustomerServer.UntilAsync(async () => (await fixture.ChargesAsync(early)).Count == 1);
        Assert.Equal(200, await SendAsync(server, await fixture.WebhookAsync(early, SteadyTime.Shared.GetUtcNow())));
        Assert.Equal(
            new PaymentTotals(1_530, 0, 0, false),
            (await server.SettledAsync(early)).Payment! with { Version = 0 });
        Assert.Equal([Held], await fixture.ChargesAsync(early));
    }

    [Fact]
    public async Task A_forged_webhook_returns_401_and_leaves_no_trace()
    {
        await using var server = await ServerAsync();
        await server.AskAsync(order, Pay(Card.RequiresAction));
        await fixture.ActAsync(order, approve: true);
        var webhook = await fixture.WebhookAsync(order, SteadyTime.Shared.GetUtcNow());
        Assert.Equal(401, await SendAsync(server, webhook with { Body = webhook.Body.Replace("1530", "1") + " " }));
        var old = await fixture.WebhookAsync(order, SteadyTime.Shared.GetUtcNow().AddMinutes(-6));
        Assert.Equal(401, await SendAsync(server, old));
        Assert.Empty(await server.QueryAsync("SELECT event_id FROM gateway_events", row => row.Text("event_id")));
    }

    [Fact]
    public async Task An_undo_closes_a_pending_customer_action()
    {
        await using var server = await ServerAsync();
        await server.AskAsync(order, Pay(Card.RequiresAction));
        Assert.True((await server.AskAsync(order, new UndoPayment("expired"))).Undo);
        Assert.DoesNotContain(await fixture.ChargesAsync(order), charge => !charge.Voided);
        Assert.Contains((string?)(await server.PaymentAsync(order))["state"], (string[])["voided", "undone"]);
    }

    AuthorizePayment Pay(Card card) => CustomerServer.Pay(fixture.Provider.Name, fixture.TokenOf(card));

    async Task<CustomerServer> ServerAsync()
    {
        var server = await CustomerServer.StartAsync(engine, fixture.Provider);
        await server.AddCustomerAsync();
        return server;
    }

    async Task<int> SendAsync(CustomerServer server, Delivery delivery) =>
        (await server.SendAsync(
            "POST", $"webhooks/{fixture.Provider.Name}", delivery.Body,
            header: (delivery.SignatureHeader, delivery.Signature))).Status;
}
