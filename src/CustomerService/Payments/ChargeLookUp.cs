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

    /// <summary>All charges of the order. Throws <see cref="ChargeListException"/> when the list cannot be read.</summary>
    public static async Task<IReadOnlyList<ListedCharge>> OfOrderAsync(
        this IChargeList list, Guid orderId, CancellationToken cancel)
    {
        var placedAt = Ids.TimeOf(orderId);
        foreach (var (from, to) in Windows)
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

    /// <summary>Result of the look-up for an unknown payment.</summary>
    public static async Task<GatewayResult> FindAsync(IPaymentProvider provider, GatewayRequest request, CancellationToken cancel)
    {
        try
        {
            var charges = await provider.Charges!.OfOrderAsync(request.OrderId, cancel);
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
