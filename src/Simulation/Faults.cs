namespace Orderwright.Simulation;

/// <summary>Something that goes wrong in a run; the plan says when.</summary>
public abstract record Fault
{
    /// <summary>How long it lasts; of no meaning for what only strikes.</summary>
    public TimeSpan For { get; init; }
}

/// <param name="From">A service; null for all.</param>
/// <param name="To">The same.</param>
/// <param name="Loss">Share of what is sent that is lost; 1 is a partition.</param>
/// <param name="Twice">Share that comes twice or three times.</param>
/// <param name="Late">Share that is delayed by up to <paramref name="Delay"/>.</param>
/// <param name="Delay">The longest delay.</param>
public sealed record LinkTrouble(string? From, string? To, double Loss, double Twice, double Late, TimeSpan Delay) : Fault
{
    public bool Concerns(string from, string to) => (From is null || From == from) && (To is null || To == to);

    public override string ToString() =>
        $"network from {From ?? "all"} to {To ?? "all"}, for {For.TotalSeconds:0.#} s: lost {Loss:P0}, doubled {Twice:P0}, " +
        $"late by up to {Delay.TotalSeconds:0} s {Late:P0}";
}

/// <summary>Everything that waits in the broker or is on its way is gone.</summary>
public sealed record BrokerWiped : Fault
{
    public override string ToString() => "the broker is wiped";
}

/// <summary>A delivery that nobody can read.</summary>
public sealed record Garbage(string To) : Fault
{
    public override string ToString() => $"garbage comes to {To}";
}

/// <summary>The process dies at the nth pass of a point from now on.</summary>
public sealed record CrashAt(string Service, FaultPoint Point, int Nth, TimeSpan Down) : Fault
{
    public override string ToString() => $"{Service} is to die at its {Nth}. {Point} from now, for {Down.TotalSeconds:0.#} s";
}

/// <summary>The process dies, wherever it stands.</summary>
public sealed record Killed(string Service, int Instance, TimeSpan Down) : Fault
{
    public override string ToString() => $"{Service}#{Instance} is killed";
}

/// <summary>The process is stopped and goes on later, as if nothing had been.</summary>
public sealed record Stopped(string Service, int Instance) : Fault
{
    public override string ToString() => $"{Service}#{Instance} is stopped for {For.TotalSeconds:0.#} s";
}

/// <summary>Transactions cannot begin, fail at their commit, or are committed and nobody hears of it.</summary>
public sealed record DatabaseTrouble(string Service, double Away, double Fails, double AnswerLost) : Fault
{
    public override string ToString() =>
        $"database of {Service}, for {For.TotalSeconds:0.#} s: away {Away:P0}, commit fails {Fails:P0}, its answer is lost " +
        $"{AnswerLost:P0}";
}

/// <summary>The broker does not confirm what is published; part of it went out all the same.</summary>
public sealed record PublishTrouble(string Service, double Rate) : Fault
{
    public override string ToString() => $"publishing by {Service} fails for {For.TotalSeconds:0.#} s: {Rate:P0}";
}

/// <summary>The clock of a host is wrong.</summary>
public sealed record ClockWrong(string Service, int Instance, TimeSpan By) : Fault
{
    public override string ToString() => $"the clock of {Service}#{Instance} is wrong by {By} for {For.TotalSeconds:0.#} s";
}

/// <summary>Requests of clients get lost on their way, or the answers to them.</summary>
public sealed record ClientTrouble(double RequestLost, double AnswerLost) : Fault
{
    public override string ToString() =>
        $"clients, for {For.TotalSeconds:0.#} s: requests lost {RequestLost:P0}, answers lost {AnswerLost:P0}";
}

/// <param name="Unavailable">Share answered 503: nothing was done.</param>
/// <param name="LostBefore">Share of requests that never arrive.</param>
/// <param name="LateBefore">Share of requests that arrive after we stopped waiting.</param>
/// <param name="LostAfter">Share done whose answer is lost.</param>
/// <param name="Broken">Share answered 502: done or not, who knows.</param>
public sealed record GatewayTrouble(
    double Unavailable, double LostBefore, double LateBefore, double LostAfter, double Broken) : Fault
{
    public override string ToString() =>
        $"gateway, for {For.TotalSeconds:0.#} s: 503 {Unavailable:P0}, lost {LostBefore:P0}, late {LateBefore:P0}, answer lost " +
        $"{LostAfter:P0}, 502 {Broken:P0}";
}
