namespace Orderwright.Simulation;

/// <summary>
/// Time of the last action on each order by a party outside the four services: customer, shop, operator, gateway, or participant
/// of an outside step. I7 counts from here: before, the services had nothing to go on with.
/// </summary>
public sealed class LastActions(Pump pump)
{
    readonly Dictionary<Guid, DateTimeOffset> times = [];

    /// <summary>Records an action at the present moment. A reply to a service, at once or repeated, is no action.</summary>
    public void Record(Guid order) => times[order] = pump.Now;

    /// <summary>Time of the last action; the smallest time when there was none.</summary>
    public DateTimeOffset On(Guid order) => times.GetValueOrDefault(order);
}
