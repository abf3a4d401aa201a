using Orderwright.Runtime;

namespace Orderwright.CustomerService.Payments;

/// <summary>Looks for the charge of one order in a gateway's list, by the time in the order's id.</summary>
public static class ChargeLookUp
{
    // Most charges are made within minutes of the order; an order is undecided for a few hours at most.
    static readonly IReadOnlyList<(TimeSpan From, TimeSpan To)> Windows =
    [
        (TimeSpan.FromMinutes(-15), TimeSpan.FromHours(1)),
        (TimeSpan.FromHours(1), TimeSpan.FromHours(25)),
    ];

    // Without a clock in the database, the time in an order's id is the word of a process whose clock may have been wrong. Such
    // installations are small, so a fortnight of charges can be read.
    static readonly IReadOnlyList<(TimeSpan From, TimeSpan To)> WindowsOfDoubt =
    [
        .. Windows, (TimeSpan.FromDays(-7), TimeSpan.FromMinutes(-15)), (TimeSpan.FromHours(25), TimeSpan.FromDays(7)),
    ];

    static IReadOnlyList<(TimeSpan From, TimeSpan To)> WindowsFor(bool isTimeCertain) =>
        isTimeCertain ? Windows : WindowsOfDoubt;

    /// <summary>All charges of the order. Throws <see cref="ChargeListException"/> when the list cannot be read.</summary>
    /// <param name="list">The gateway's list.</param>
    /// <param name="orderId">The order.</param>
    /// <param name="isTimeCertain">False if the clock that made the id may have been wrong by days.</param>
    /// <param name="cancel">Deadline of the look-up.</param>
    public static async Task<IReadOnlyList<ListedCharge>> OfOrderAsync(
        this IChargeList list, Guid orderId, bool isTimeCertain, CancellationToken cancel)
    {
        var placedAt = Ids.TimeOf(orderId);
        foreach (var (from, to) in WindowsFor(isTimeCertain))
        {
            var found = new Dictionary<string, ListedCharge>();
            for (string? cursor = null; ;)
            {
                var page = await list.ListAsync(placedAt + from, placedAt + to, cursor, cancel);
                foreach (var charge in page.Charges)
                    if (charge.OrderId == orderId) found[charge.Reference] = charge;
                if (page.Next is null || page.Next == cursor) break;
                cursor = page.Next;
            }
            if (found.Count > 0) return [.. found.Values];
        }
        return [];
    }

    /// <summary>
    /// All charges of several orders. Overlapping windows are read once, so that orders placed close together cost one reading.
    /// Throws <see cref="ChargeListException"/> when the list cannot be read.
    /// </summary>
    /// <param name="list">The gateway's list.</param>
    /// <param name="orderIds">The orders.</param>
    /// <param name="isTimeCertain">False if the clock that made the ids may have been wrong by days.</param>
    /// <param name="cancel">Deadline of the look-up.</param>
    public static async Task<IReadOnlyList<ListedCharge>> OfOrdersAsync(
        this IChargeList list, IReadOnlyCollection<Guid> orderIds, bool isTimeCertain, CancellationToken cancel)
    {
        var found = new Dictionary<string, ListedCharge>();
        var left = orderIds.ToHashSet();
        foreach (var (from, to) in WindowsFor(isTimeCertain))
        {
            var wanted = left.Order().ToList();
            for (var first = 0; first < wanted.Count;)
            {
                var (start, end) = (Ids.TimeOf(wanted[first]) + from, Ids.TimeOf(wanted[first]) + to);
                for (; first < wanted.Count && Ids.TimeOf(wanted[first]) + from <= end; first++)
                    end = Ids.TimeOf(wanted[first]) + to;
                for (string? cursor = null; ;)
                {
                    var page = await list.ListAsync(start, end, cursor, cancel);
                    foreach (var charge in page.Charges)
                        if (charge.OrderId is { } id && orderIds.Contains(id)) found[charge.Reference] = charge;
                    if (page.Next is null || page.Next == cursor) break;
                    cursor = page.Next;
                }
            }
            left.ExceptWith(found.Values.Select(charge => charge.OrderId!.Value));
        }
        return [.. found.Values];
    }

    /// <summary>Result of the look-up for an unknown payment.</summary>
    public static async Task<GatewayResult> FindAsync(
        IPaymentProvider provider, GatewayRequest request, bool isTimeCertain, CancellationToken cancel)
    {
        try
        {
            var charges = await provider.Charges!.OfOrderAsync(request.OrderId, isTimeCertain, cancel);
            List<ListedCharge> open = [.. charges.Where(charge => charge.HasMoney)];
            // A list does not tell whether the customer may still approve a charge without money.
            if (charges.Count > 0 && open.Count == 0 && provider.Capabilities.LookUpByKey
                && await provider.FindAsync(request, cancel) is GatewayResult.ActionRequired waiting)
                return waiting;
            return charges.Count == 0 ? new GatewayResult.NeverHappened(Final: false)
                : open.Count > 1 ? new GatewayResult.Unknown(
                    $"The gateway holds money for this order in {open.Count} charges: "
                    + string.Join(", ", open.Select(charge => charge.Reference)))
                { IsAnswer = true }
                : new GatewayResult.Listed(open.Count == 1 ? open[0] : charges[0]);
        }
        catch (ChargeListException error)
        {
            return new GatewayResult.Unknown(error.Message);
        }
    }
}
