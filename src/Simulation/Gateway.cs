using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>A card transaction as the gateway knows it. Minor units.</summary>
public sealed class Charge(string id, Guid orderId, string key, long amount, string currency)
{
    public string Id => id;

    public Guid OrderId => orderId;

    public string Key => key;

    public long Amount => amount;

    public string State { get; set; } = "authorized";

    /// <summary>When its customer acted last.</summary>
    public DateTimeOffset ActedAt { get; set; }

    public long Captured { get; set; }

    public long Refunded { get; set; }

    /// <summary>The customer's money is held or taken by it, or may yet be.</summary>
    public bool IsLive => State is "requires_action" or "authorized" || Captured > Refunded;

    public ChargeRow Row() => new(
        orderId, id, currency, State is "authorized" or "captured" or "voided" ? amount : 0, Captured, Refunded,
        State == "voided");
}

/// <summary>What a customer's card does, said by its token.</summary>
public static class CardTokens
{
    public const string Good = "tok_good";
    public const string Declined = "tok_declined";
    public const string RefundFails = "tok_refund_fails";

    /// <summary>3-D Secure; approved, refused or left alone: the rest of the token says after how many seconds.</summary>
    public const string Approved = "tok_approved_";
    public const string Refused = "tok_refused_";
    public const string LeftAlone = "tok_left_alone";
}

/// <summary>
/// Another company's system: it keeps its own record of what it did, answers the same key the same way, and tells of what
/// it did by webhooks, which it sends again until they are taken. Nothing of ours writes here but by its requests.
/// </summary>
public sealed class Gateway(World world, Chance chance)
{
    readonly Dictionary<string, GatewayResult> answers = [];
    readonly Dictionary<string, Charge> charges = [];
    readonly Dictionary<string, GatewayEvent> events = [];

    public IEnumerable<Charge> Charges => charges.Values;

    /// <summary>What it was asked to do that must never be asked for, at whatever moment.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Webhooks that nobody has taken yet.</summary>
    public int Untold { get; private set; }

    /// <summary>Does what is asked, once per key.</summary>
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
        world.Trace.Tell(request.OrderId, $"gateway: {request.Operation} {request.Key[37..]} {result}");
        answers[request.Key] = result;
        if (result is not GatewayResult.ActionRequired) Tell(request.Key, request.Operation, result);
        return result;
    }

    public GatewayResult Find(GatewayRequest request) =>
        answers.GetValueOrDefault(request.Key) ?? new GatewayResult.NeverHappened(Final: false);

    /// <summary>The order's customer has still to act, or did so less than <paramref name="grace"/> ago.</summary>
    public bool AwaitsCustomer(Guid orderId, TimeSpan grace) => charges.Values.Any(charge =>
        charge.OrderId == orderId && (charge.State == "requires_action" || world.Pump.Now < charge.ActedAt + grace));

    public GatewayEvent EventOf(string id) => events[id];

    GatewayResult Authorize(GatewayRequest request)
    {
        var token = request.Token!;
        if (token == CardTokens.Declined) return new GatewayResult.Declined("card_declined", "The card was declined.");
        if (charges.Values.FirstOrDefault(other => other.OrderId == request.OrderId && other.IsLive) is { } other)
            Complaints.Add($"order {request.OrderId} is charged a second time, by {request.Key} beside {other.Key}");
        var charge = new Charge($"ch_{charges.Count + 1}", request.OrderId, request.Key, request.AmountMinor, request.Currency);
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

    // What the customer does on the page of their bank.
    void Act(Charge charge, bool approves)
    {
        if (charge.State != "requires_action") return;
        charge.State = approves ? "authorized" : "declined";
        charge.ActedAt = world.Pump.Now;
        GatewayResult result = approves
            ? new GatewayResult.Succeeded(charge.Id)
            : new GatewayResult.Declined("authentication_failed", "The customer did not approve.");
        answers[charge.Key] = result;
        world.Trace.Tell(charge.OrderId, $"customer: {(approves ? "approves" : "refuses")}");
        Tell(charge.Key, "action", result);
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
        // What is void before the customer acted was never held.
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

    void Tell(string key, string what, GatewayResult result)
    {
        if (!world.Plan.Webhooks) return;
        var told = new GatewayEvent($"evt_{events.Count + 1}", what, key, result, "{}");
        events.Add(told.Id, told);
        // Early: before the answer to the request is there. Doubled: as gateways do when they are not sure.
        var times = chance.Hit(0.2) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            var isLate = !world.IsHealed && chance.Hit(world.Plan.WebhooksLate);
            Deliver(told, isLate ? chance.Between(TimeSpan.Zero, world.Plan.LongestDelay) : chance.Between(TimeSpan.Zero, Soon));
        }
    }

    static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);

    void Deliver(GatewayEvent told, TimeSpan pause)
    {
        Untold++;
        world.Pump.After(pause, () =>
        {
            Untold--;
            _ = world.Client.Start(async () =>
            {
                var headers = new Microsoft.AspNetCore.Http.HeaderDictionary { ["Event"] = told.Id };
                Untold++;
                var answer = await world.Client.CallAsync(
                    Contracts.ServiceNames.Customer,
                node => node.Webhooks!.ReceiveAsync(GatewayProvider.ProviderName, headers, default));
                Untold--;
                if (answer?.Status != 200) Deliver(told, chance.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)));
            });
        });
    }
}
