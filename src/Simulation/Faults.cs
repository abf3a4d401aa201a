namespace Orderwright.Simulation;

/// <summary>A fault of the plan.</summary>
public abstract record Fault
{
    /// <summary>Duration; ignored by faults that strike once.</summary>
    public TimeSpan For { get; init; }
}

/// <param name="From">The sending service; null for all.</param>
/// <param name="To">The receiving service; null for all.</param>
/// <param name="Loss">Share of messages lost; 1 is a partition.</param>
/// <param name="Twice">Share of messages delivered two or three times.</param>
/// <param name="Late">Share of messages delayed by up to <paramref name="Delay"/>.</param>
/// <param name="Delay">The longest delay.</param>
public sealed record LinkFault(string? From, string? To, double Loss, double Twice, double Late, TimeSpan Delay) : Fault
{
    public bool Concerns(string from, string to) => (From is null || From == from) && (To is null || To == to);

    public override string ToString() =>
        $"network from {From ?? "all"} to {To ?? "all"}, for {For.TotalSeconds:0.#} s: lost {Loss:P0}, duplicated {Twice:P0}, " +
        $"late by up to {Delay.TotalSeconds:0} s {Late:P0}";
}

/// <summary>Removes every message queued in the broker or in flight.</summary>
public sealed record BrokerWiped : Fault
{
    public override string ToString() => "the broker is wiped";
}

/// <summary>An unreadable delivery.</summary>
public sealed record Garbage(string To) : Fault
{
    public override string ToString() => $"an unreadable message reaches {To}";
}

/// <summary>Kills the process at the nth pass of a point from now on.</summary>
public sealed record CrashAt(string Service, FaultPoint Point, int Nth, TimeSpan Down) : Fault
{
    public override string ToString() => $"{Service} dies at pass {Nth} of {Point} from now, for {Down.TotalSeconds:0.#} s";
}

/// <summary>Kills the process immediately.</summary>
public sealed record Killed(string Service, int Instance, TimeSpan Down) : Fault
{
    public override string ToString() => $"{Service}#{Instance} is killed";
}

/// <summary>Suspends the process, which later resumes unaware.</summary>
public sealed record Stopped(string Service, int Instance) : Fault
{
    public override string ToString() => $"{Service}#{Instance} is stopped for {For.TotalSeconds:0.#} s";
}

/// <summary>The connection of the active instance breaks: another instance takes over, while this one goes on unaware.</summary>
public sealed record TakenOver(string Service) : Fault
{
    public override string ToString() => $"another instance of {Service} takes over";
}

/// <summary>Transactions cannot begin, fail at commit, or commit without the client learning so.</summary>
public sealed record DatabaseFault(string Service, double Unavailable, double Fails, double ReplyLost) : Fault
{
    public override string ToString() =>
        $"database of {Service}, for {For.TotalSeconds:0.#} s: unavailable {Unavailable:P0}, commit fails {Fails:P0}, " +
        $"reply lost {ReplyLost:P0}";
}

/// <summary>The broker does not confirm published messages, although part of them went out.</summary>
public sealed record PublishFault(string Service, double Rate) : Fault
{
    public override string ToString() => $"publishing by {Service} fails for {For.TotalSeconds:0.#} s: {Rate:P0}";
}

/// <summary>A host clock is wrong. The clock of the database is right.</summary>
public sealed record ClockSkewed(string Service, int Instance, TimeSpan By) : Fault
{
    /// <summary>True when the process starts with the wrong clock; otherwise the clock jumps while the process runs.</summary>
    public bool AtStart { get; init; }

    public override string ToString() =>
        $"the clock of {Service}#{Instance} is wrong by {By}{(AtStart ? " from its start" : "")} for {For.TotalSeconds:0.#} s";
}

/// <summary>Client requests or the responses to them are lost.</summary>
public sealed record ClientFault(double RequestLost, double ResponseLost) : Fault
{
    public override string ToString() =>
        $"clients, for {For.TotalSeconds:0.#} s: requests lost {RequestLost:P0}, responses lost {ResponseLost:P0}";
}

/// <param name="Unavailable">Share answered with 503, without effect.</param>
/// <param name="LostBefore">Share of requests that never arrive.</param>
/// <param name="LateBefore">Share of requests that arrive after the caller stopped waiting.</param>
/// <param name="LostAfter">Share of requests executed whose response is lost.</param>
/// <param name="Broken">Share answered with 502, executed or not.</param>
public sealed record GatewayFault(
    double Unavailable, double LostBefore, double LateBefore, double LostAfter, double Broken) : Fault
{
    public override string ToString() =>
        $"gateway, for {For.TotalSeconds:0.#} s: 503 {Unavailable:P0}, lost {LostBefore:P0}, late {LateBefore:P0}, " +
        $"response lost {LostAfter:P0}, 502 {Broken:P0}";
}

/// <summary>
/// The synchronous standby stalls, and each commit's wait for it is cut: the rows are there, the outcome is unknown. Afterwards
/// the standby either catches up, or takes over without these rows.
/// </summary>
public sealed record StandbyStalled(string Service, bool TakesOver) : Fault
{
    public override string ToString() =>
        $"the standby of {Service} stalls for {For.TotalSeconds:0.#} s and {(TakesOver ? "takes over" : "catches up")}";
}

/// <summary>Reads succeed, writes fail.</summary>
public sealed record DiskFull(string Service) : Fault
{
    public override string ToString() => $"the disk of {Service} is full for {For.TotalSeconds:0.#} s";
}

/// <summary>At its end the database is restored as it was at its beginning, while the service is down.</summary>
public sealed record Restored(string Service, TimeSpan Down) : Fault
{
    public override string ToString() =>
        $"{Service} is restored as it is now in {For.TotalSeconds:0.#} s, down for {Down.TotalSeconds:0.#} s";
}

/// <summary>The key of the shops is revoked while requests are in flight, and another is given out.</summary>
public sealed record KeyRevoked : Fault
{
    public override string ToString() => "the key of the shops is revoked";
}

/// <summary>A well-formed message about an order, published by a user of the broker that may not send it.</summary>
/// <param name="User">The publishing service; null for a stranger, who claims to be the rightful sender.</param>
/// <param name="What">The message.</param>
/// <param name="Order">Number of the order; a message about an unknown order if there is none yet.</param>
public sealed record Forged(string? User, Forgery What, int Order) : Fault
{
    public override string ToString() => $"{User ?? "a stranger"} forges {What} for order {Order}";
}

/// <summary>Messages that would move money, goods or an order.</summary>
public enum Forgery
{
    OrderPlaced,
    OrderConfirmed,
    OrderCancelled,
    CancelRequested,
    PaymentAuthorized,
    GoodsReserved,
    StockReleased,
    PaymentUndone,
    GoodsShipped,
}
