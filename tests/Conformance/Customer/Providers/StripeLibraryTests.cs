using System.Text;
using Stripe;
using Orderwright.CustomerService.Payments;

namespace Orderwright.Conformance.Customer.Providers;

/// <summary>
/// Stripe's own library for .NET, which Stripe generates from its OpenAPI document, beside our client: what we send is what
/// it sends, and what <see cref="StripeMock"/> answers, it can read.
/// </summary>
public sealed class StripeLibraryTests : IAsyncLifetime
{
    const string ReturnUrl = "https://shop.example.com/paid";

    readonly Guid order = Guid.CreateVersion7();
    StripeHouse house = null!;
    StripeMock mock = null!;
    Stripe.StripeClient library = null!;

    public async ValueTask InitializeAsync()
    {
        house = await StripeHouse.OpenAsync();
        mock = await StripeMock.StartAsync();
        library = new(apiKey: StripeMock.Key, apiBase: mock.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await mock.DisposeAsync();
        await house.DisposeAsync();
    }

    [Fact]
    public void It_speaks_the_version_that_ours_is_pinned_to() =>
        Assert.Equal(StripeConfiguration.ApiVersion, (string?)StripeShapes.Names["version"]);

    [Fact]
    public async Task Each_request_of_ours_is_what_it_sends()
    {
        var intents = library.V1.PaymentIntents;
        var authorize = house.Ask(order, "authorize");
        var (capture, refund) = (house.Ask(order, "capture", charge: "pi_1"), house.Ask(order, "refund", charge: "pi_1"));
        var ours = Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(authorize));
        var its = await intents.CreateAsync(Create(authorize), Under(authorize));
        Assert.Equal((ours.Reference, "requires_capture", 1_530), (its.Id, its.Status, its.AmountCapturable));

        await house.FindAsync(authorize);
        var found = await intents.SearchAsync(new()
        {
            Query = $"metadata['orderwright_key']:'{authorize.Key}'", Limit = 2, Expand = ["data.latest_charge"],
        });
        Assert.Equal("pi_1", Assert.Single(found.Data).Id);
        await house.FindAsync(authorize with { Reference = "pi_1" });
        its = await intents.GetAsync("pi_1", new() { Expand = ["latest_charge"] });
        Assert.Equal(authorize.Key, its.Metadata["orderwright_key"]);

        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(capture));
        its = await intents.CaptureAsync("pi_1", new() { AmountToCapture = 1_530 }, Under(capture));
        Assert.Equal(1_530, its.AmountReceived);
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(refund));
        var returned = await library.V1.Refunds.CreateAsync(
            new() { PaymentIntent = "pi_1", Amount = 1_530, Metadata = Names(refund) }, Under(refund));
        Assert.Equal(("succeeded", 1_530), (returned.Status, returned.Amount));
        await house.FindAsync(refund);
        var refunds = await library.V1.Refunds.ListAsync(new() { PaymentIntent = "pi_1", Limit = 100 });
        Assert.Equal(returned.Id, Assert.Single(refunds).Id);

        var second = house.Ask(Guid.CreateVersion7(), "authorize");
        await house.DoAsync(second);
        await intents.CreateAsync(Create(second), Under(second));
        var release = house.Ask(second.OrderId, "void", charge: "pi_3");
        Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(release));
        Assert.Equal("canceled", (await intents.CancelAsync("pi_3", null, Under(release))).Status);

        var (from, to) = (DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Single((await house.Provider.Charges!.ListAsync(from, to, "pi_3", default)).Charges);
        var listed = await intents.ListAsync(new()
        {
            Created = new DateRangeOptions { GreaterThanOrEqual = from.UtcDateTime, LessThan = to.UtcDateTime },
            Limit = 100, Expand = ["data.latest_charge"], StartingAfter = "pi_3",
        });
        Assert.Equal(1_530, Assert.Single(listed).LatestCharge.AmountRefunded);

        Assert.Equal(mock.Asked, house.Mock.Asked);
        Assert.Equal(9, mock.Asked.Count);
    }

    [Fact]
    public async Task What_is_declined_or_needs_the_customer_is_to_it_what_it_is_to_us()
    {
        var declined = house.Ask(order, "authorize", Card.InsufficientFunds);
        var told = await Assert.ThrowsAsync<StripeException>(
            () => library.V1.PaymentIntents.CreateAsync(Create(declined), Under(declined)));
        Assert.Equal(
            ("card_error", "card_declined", "insufficient_funds", "requires_payment_method"),
            (told.StripeError.Type, told.StripeError.Code, told.StripeError.DeclineCode, told.StripeError.PaymentIntent.Status));
        Assert.Equal(
            new GatewayResult.Declined(told.StripeError.DeclineCode, told.StripeError.Message), await house.DoAsync(declined));

        var asked = house.Ask(order, "authorize", Card.RequiresAction, n: 2);
        var action = Assert.IsType<GatewayResult.ActionRequired>(await house.DoAsync(asked));
        var its = await library.V1.PaymentIntents.CreateAsync(Create(asked), Under(asked));
        Assert.Equal((action.Url, action.Reference), (its.NextAction.RedirectToUrl.Url, its.Id));

        mock.HoldsUntil = house.Mock.HoldsUntil = DateTimeOffset.FromUnixTimeSeconds(1_900_000_000);
        var held = Assert.IsType<GatewayResult.Succeeded>(await house.DoAsync(house.Ask(order, "authorize", n: 3)));
        its = await library.V1.PaymentIntents.CreateAsync(Create(house.Ask(order, "authorize", n: 3)));
        Assert.Equal(held.HoldsUntil!.Value.UtcDateTime, its.LatestCharge.PaymentMethodDetails.Card.CaptureBefore);
    }

    [Fact]
    public async Task A_webhook_as_we_believe_it_is_one_that_it_believes()
    {
        await house.DoAsync(house.Ask(order, "authorize"));
        var now = TimeProvider.System.GetUtcNow();
        var told = await house.TellAsync(order, now);
        var its = EventUtility.ConstructEvent(told.Body, told.Signature, StripeHouse.WebhookSecret);
        Assert.Equal(
            ("payment_intent.amount_capturable_updated", "requires_capture"),
            (its.Type, Assert.IsType<PaymentIntent>(its.Data.Object).Status));
        foreach (var bad in new[] { told with { Body = told.Body + " " }, await house.TellAsync(order, now.AddMinutes(-6)) })
        {
            Assert.Throws<StripeException>(() => EventUtility.ConstructEvent(bad.Body, bad.Signature, StripeHouse.WebhookSecret));
            Assert.IsType<WebhookReading.Forged>(
                house.Provider.ReadWebhook(bad.Headers, Encoding.UTF8.GetBytes(bad.Body), now));
        }
    }

    static PaymentIntentCreateOptions Create(GatewayRequest request) => new()
    {
        Amount = request.AmountMinor,
        Currency = "gbp",
        Confirm = true,
        CaptureMethod = "manual",
        AutomaticPaymentMethods = new() { Enabled = true },
        Expand = ["latest_charge"],
        Metadata = Names(request),
        PaymentMethod = request.Token,
        ReturnUrl = ReturnUrl,
    };

    static Dictionary<string, string> Names(GatewayRequest request) => new()
    {
        ["orderwright_key"] = request.Key, ["orderwright_order"] = $"{request.OrderId}",
    };

    static RequestOptions Under(GatewayRequest request) => new() { IdempotencyKey = request.Key };
}
