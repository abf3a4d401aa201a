using Orderwright.Runtime;

namespace Orderwright.Http.Operators;

/// <summary>Records that every service keeps for its operators.</summary>
/// <param name="Audit">Actions of its operators.</param>
/// <param name="DeadLetters">Messages that could not be read or handled.</param>
public sealed record OperatedService(Audit Audit, DeadLetterReplay DeadLetters)
{
    /// <summary>Of a service that has not started: its host runs <see cref="DeadLetterReplay.Loops"/> with it.</summary>
    public static OperatedService Of(RunningService service) =>
        new(service.Audit, new DeadLetterReplay(service.Context, service.Audit));
}
