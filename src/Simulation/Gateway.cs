using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>A card transaction in the gateway's record. Minor units.</summary>
public sealed class Charge(string id, Guid orderId, string key, long amount, string currency, DateTimeOffset createdAt)
{
    public string Id => id;

    public Guid OrderId => orderId;

    public string Key => key;

    public long Amount => amount;

    public string State { get; set; } = "authorized";

    public long Captured { get; set; }

    public long Refunded { get; set; }

    /// <summary>True when the charge holds or has taken money, or still may.</summary>
    public bool IsLive => State is "requires_action" or "authorized" || Captured > Refunded;

    public DateTimeOffset CreatedAt => createdAt;

    public ListedCharge Listed() => new(
        id, orderId, currency, State, State == "authorized" ? amount - Captured : 0, Captured, Refunded, createdAt);

    public ChargeRow Row() => new(
        orderId, id, currency, State is "authorized" or "captured" or "voided" ? amount : 0, Captured, Refunded,
        State == "voided");
}

/// <summary>Test card tokens and the behaviour that each selects.</summary>
public static class CardTokens
{
    public const string Good = "tok_good";
    public const string Declined = "tok_declined";
    public const string RefundFails = "tok_refund_fails";

    /// <summary>
    /// 3-D Secure: approved, refused or left unanswered. The rest of the token gives the delay in seconds.
    /// </summary>
    public const string Approved = "tok_approved_";
    public const string Refused = "tok_refused_";
    public const string LeftAlone = "tok_left_alone";
}

/// <summary>
/// The gateway, another company's system. Keeps its own record, answers a repeated key with the first response, and sends
/// webhooks until they are accepted. Only requests change its state.
/// </summary>
public sealed class Gateway(World world, Chance chance)
{
    readonly Dictionary<string, GatewayResult> answers = [];
    readonly Dictionary<string, Charge> charges = [];
    readonly Dictionary<string, GatewayEvent> events = [];

    public IEnumerable<Charge> Charges => charges.Values;

    /// <summary>Requests that a correct client never sends.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Webhooks not yet accepted.</summary>
    public int PendingWebhooks { get; private set; }

    /// <summary>Executes a request, once per key.</summary>
    public GatewayResult Do(GatewayRequest request)
    {
        if (answers.TryGetValue(request.Key, out var known)) return known;
        var result = request.Operation switch
        {
            GatewayOperations.Authorize => Authorize(request),
            GatewayOperations.Capture => Capture(request),
            GatewayOperations.Void => Void(request),
            _ => Refund(request),
        };
        world.Trace.Record(request.OrderId, $"gateway: {request.Operation} {request.Key[37..]} {result}");
        answers[request.Key] = result;
        if (result is not GatewayResult.ActionRequired) Notify(request.Key, request.Operation, result);
        return result;
    }

    /// <summary>Executes a request after its caller has given up, unless its key was answered by then.</summary>
    public void DoLater(GatewayRequest request, TimeSpan pause) => world.Pump.After(pause, () =>
    {
        if (!answers.ContainsKey(request.Key)) world.Actions.Record(request.OrderId);
        Do(request);
    });

    public GatewayResult Find(GatewayRequest request) =>
        answers.GetValueOrDefault(request.Key) ?? new GatewayResult.NeverHappened(Final: false);

    /// <summary>True when the order's customer has yet to act.</summary>
    public bool AwaitsCustomer(Guid orderId) =>
        charges.Values.Any(charge => charge.OrderId == orderId && charge.State == "requires_action");

    public GatewayEvent EventOf(string id) => events[id];

    GatewayResult Authorize(GatewayRequest request)
    {
        var token = request.Token!;
        if (token == CardTokens.Declined) return new GatewayResult.Declined("card_declined", "The card was declined.");
        if (charges.Values.FirstOrDefault(other => other.OrderId == request.OrderId && other.IsLive) is { } other)
            Violations.Add($"order {request.OrderId} is charged a second time, by {request.Key} beside {other.Key}");
        var charge = new Charge(
            $"ch_{charges.Count + 1}", request.OrderId, request.Key, request.AmountMinor, request.Currency, world.Pump.Now);
        charges.Add(charge.Id, charge);
        if (token != CardTokens.LeftAlone && !token.StartsWith(CardTokens.Approved, StringComparison.Ordinal)
            && !token.StartsWith(CardTokens.Refused, StringComparison.Ordinal))
            return new GatewayResult.Succeeded(charge.Id);
        charge.State = "requires_action";
        if (token != CardTokens.LeftAlone)
        {
            var approves = token.StartsWith(CardTokens.Approved, StringComparison.Ordinal);
            var seconds = int.Parse(token.AsSpan(token.LastIndexOf('_') + 1), null);
            world.Pump.After(TimeSpan.FromSeconds(seconds), () => Act(charge, approves));
        }
        return new GatewayResult.ActionRequired(charge.Id, "https://bank.example");
    }

    // The customer's decision on their bank's page.
    void Act(Charge charge, bool approves)
    {
        if (charge.State != "requires_action") return;
        charge.State = approves ? "authorized" : "declined";
        world.Actions.Record(charge.OrderId);
        GatewayResult result = approves
            ? new GatewayResult.Succeeded(charge.Id)
            : new GatewayResult.Declined("authentication_failed", "The customer did not approve.");
        answers[charge.Key] = result;
        world.Trace.Record(charge.OrderId, $"customer: {(approves ? "approves" : "refuses")}");
        Notify(charge.Key, "action", result);
    }

    GatewayResult Capture(GatewayRequest request)
    {
        if (Of(request) is not { State: "authorized" } charge || charge.Captured + request.AmountMinor > charge.Amount)
            return NotPossible(request);
        charge.Captured += request.AmountMinor;
        if (request.IsLast || charge.Captured == charge.Amount) charge.State = "captured";
        return new GatewayResult.Succeeded(charge.Id);
    }

    GatewayResult Void(GatewayRequest request)
    {
        if (Of(request) is not { State: "authorized" or "requires_action" } charge) return NotPossible(request);
        // Voided before the customer acted, the amount was never held.
        var wasHeld = charge.State == "authorized";
        charge.State = wasHeld ? "voided" : "abandoned";
        if (!wasHeld) answers[charge.Key] = new GatewayResult.Declined("cancelled", "It was cancelled.");
        return new GatewayResult.Succeeded(charge.Id);
    }

    GatewayResult Refund(GatewayRequest request)
    {
        if (Of(request) is not { Captured: > 0 } charge) return NotPossible(request);
        if (request.Token == CardTokens.RefundFails || charge.Refunded + request.AmountMinor > charge.Captured)
            return new GatewayResult.Declined("refund_refused", "The card's bank refused the refund.");
        charge.Refunded += request.AmountMinor;
        return new GatewayResult.Succeeded(charge.Id);
    }

    Charge? Of(GatewayRequest request) => charges.GetValueOrDefault(request.Reference ?? "");

    static GatewayResult.Declined NotPossible(GatewayRequest request) =>
        new("not_possible", $"The charge does not allow {request.Operation}.");

    void Notify(string key, string type, GatewayResult result)
    {
        if (!world.Plan.Webhooks) return;
        var webhook = new GatewayEvent($"evt_{events.Count + 1}", type, key, result, "{}");
        events.Add(webhook.Id, webhook);
        // Early webhooks overtake the response to the request. Duplicates occur as with real gateways.
        var times = chance.Hit(0.2) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            var isLate = !world.IsHealed && chance.Hit(world.Plan.WebhooksLate);
            Deliver(webhook, chance.Between(TimeSpan.Zero, isLate ? world.Plan.LongestDelay : Soon));
        }
    }

    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);

    void Deliver(GatewayEvent webhook, TimeSpan pause)
    {
        PendingWebhooks++;
        world.Pump.After(pause, () =>
        {
            PendingWebhooks--;
            _ = world.Client.Start(async () =>
            {
                var headers = new Microsoft.AspNetCore.Http.HeaderDictionary { ["Event"] = webhook.Id };
                PendingWebhooks++;
                var answer = await world.Client.CallAsync(
                    Contracts.ServiceNames.Customer,
                node => node.Webhooks!.ReceiveAsync(GatewayProvider.ProviderName, headers, default));
                PendingWebhooks--;
                if (answer?.Status != 200) Deliver(webhook, chance.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)));
            });
        });
    }
}
