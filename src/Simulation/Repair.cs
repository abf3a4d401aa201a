using System.Text.RegularExpressions;
using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// The differences between services that a restored database leaves behind. Only <c>heal</c> can repair these, because the rows
/// that would tell are gone; <c>verify</c> names each. Any other finding after a restore is a fault of the services.
/// </summary>
/// <param name="Name">Short name.</param>
/// <param name="Restored">The restored service. Its rows of the order were lost or set back.</param>
/// <param name="Invariants">Names of invariants.</param>
/// <param name="What">Regular expression for the finding.</param>
/// <param name="Statuses">Statuses of the order; null for all.</param>
sealed record Repair(string Name, string Restored, string[] Invariants, string What, string[]? Statuses = null)
{
    /// <summary>True for orders of which the gateway keeps no money.</summary>
    public bool WithoutMoney { get; init; }

    static readonly string[] Good = [OrderStatuses.Confirmed, OrderStatuses.Completed];
    static readonly string[] Off = [OrderStatuses.Rejected, OrderStatuses.Cancelled, OrderStatuses.Expired];

    public static readonly IReadOnlyList<Repair> All =
    [
        new("order lost", ServiceNames.Order, ["I1"],
            "^(has a (saga|payment|reservation), but no order|was acknowledged with 2xx but does not exist|got (20.|409) )"),
        new("reference lost", ServiceNames.Order, ["I1"], "^(is named as the order|stood in the way of) "),
        new("fulfilment lost", ServiceNames.Order, ["I4"],
            "^has (shipment .* in stock-service, but no such fulfilment|other goods in shipment)"),
        new("fulfilment lost", ServiceNames.Order, ["I2"], "^shipped goods worth"),
        new("cancellation lost", ServiceNames.Order, ["I1", "I4", "I5"],
            "^(is .*, but its saga is compensated|is .*, but its reservation is released|was cancelled with 2xx)", Good),
        new("end of an order lost", ServiceNames.Order, ["I7"],
            "^(was shipped or closed, and|has fulfilment .* stock-service has not booked)"),
        new("completion lost", ServiceNames.Order, ["I4"],
            "(but the unshipped remainder was released|^is completed, but .* are still allocated)"),
        new("completion lost", ServiceNames.Order, ["I2"], "^costs .* captured is ", Good),

        new("saga lost", ServiceNames.Coordinator, ["I1"], ", but no saga ever ran for it"),
        new("end of a saga lost", ServiceNames.Coordinator, ["I1"], "^is (cancelled|completed|confirmed), but its saga is "),
        new("action of an operator lost", ServiceNames.Coordinator, ["I5"], "^was stopped by an operator"),
        // A saga that is back at an earlier step and fails there does not know of the steps that followed.
        new("later steps forgotten", ServiceNames.Coordinator, ["I2", "I3"],
            "^(is .*, but .* (still held|were refunded)|says .*, but its payment is)",
            [OrderStatuses.Rejected, OrderStatuses.Expired]),
        new("later steps forgotten", ServiceNames.Coordinator, ["I2"], "^was undone according to its saga, but"),
        // The deadline of a step, forgotten to be over in time, has passed: the money is back and the goods are free.
        new("confirmation undone", ServiceNames.Coordinator, ["I2"], "^costs .* captured is 0 and held 0", Good),
        new("confirmation undone", ServiceNames.Coordinator, ["I3"], "^says .*, but its payment is (voided|refunded)", Good),
        new("confirmation undone", ServiceNames.Coordinator, ["I4"], "but its reservation is released", Good),

        // The money of an order that came to nothing has to be returned all the same.
        new("close lost", ServiceNames.Customer, ["I2"], "^is completed, but .* are still held"),
        new("payment lost", ServiceNames.Customer, ["I2", "I3"], "(but there is no payment|^we have captured )", Good),
        new("capture lost", ServiceNames.Customer, ["I2"], "^(costs|shipped goods worth) .* captured is ", Good),
        new("payment lost", ServiceNames.Customer, ["I3"], "^the gateway has a charge, but there is no payment", Off)
        {
            WithoutMoney = true,
        },
        // The gateway, or the store credit before the restore, has returned the money; our record says otherwise.
        new("undo lost", ServiceNames.Customer, ["I2", "I3"],
            "^(is .*, but .* (still held|were refunded)|we have captured )", Off)
        {
            WithoutMoney = true,
        },
        new("payment status lost", ServiceNames.Customer, ["I3"], "^says .*, but its payment is", Good),
        new("payment status lost", ServiceNames.Customer, ["I3"], "^says .*, but its payment is", Off) { WithoutMoney = true },
        new("payment status lost", ServiceNames.Order, ["I3"], "^says .*, but its payment is"),
        new("payment lost", ServiceNames.Customer, ["I7"], "^(is stuck at capture-payment|.* customer-service has not answered)"),

        new("allocation lost", ServiceNames.Stock, ["I4", "I6"],
            "^is (confirmed|completed), but its (reservation is|goods are still held)"),
        new("shipment lost", ServiceNames.Stock, ["I7"],
            "^(has fulfilment .* stock-service has not booked|was shipped or closed, and stock-service )"),
        // A hold expires by itself, an allocation does not.
        new("release lost", ServiceNames.Stock, ["I6"], "^has ended, and placed goods are held"),
        new("release lost", ServiceNames.Stock, ["I4"], "but its goods are still allocated", Off),
        new("close lost", ServiceNames.Stock, ["I4"], "^is completed, but .* are still allocated"),
    ];

    /// <summary>Removes the findings that <c>heal</c> repairs.</summary>
    /// <param name="findings">Findings of a run.</param>
    /// <param name="world">The run.</param>
    /// <param name="statuses">Status of each order.</param>
    public static void Remove(List<Finding> findings, World world, IReadOnlyDictionary<Guid, string> statuses)
    {
        findings.RemoveAll(finding => All.Any(repair => repair.Explains(finding, world, statuses)));
        // Sums over all orders show the differences of the orders once more.
        if (ServiceNames.All.Any(service => world.SetBack(service).Count > 0))
            findings.RemoveAll(finding => finding.Subject == Shop.Currency && finding.Invariant == "I3");
    }

    bool Explains(Finding finding, World world, IReadOnlyDictionary<Guid, string> statuses) =>
        Invariants.Contains(finding.Invariant)
        && Guid.TryParse(finding.Subject, out var id) && world.SetBack(Restored).Contains(id)
        && (Statuses is null || (statuses.TryGetValue(id, out var status) && Statuses.Contains(status)))
        && (!WithoutMoney || !world.Gateway.Charges.Any(charge => charge.OrderId == id && charge.IsLive))
        && Regex.IsMatch(finding.What, What, RegexOptions.CultureInvariant);
}
