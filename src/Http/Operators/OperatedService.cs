using Orderwright.Runtime;

namespace Orderwright.Http.Operators;

/// <summary>Records kept by every service for operators.</summary>
/// <param name="Audit">Actions of operators.</param>
/// <param name="DeadLetters">Unreadable and failed messages.</param>
public sealed record OperatedService(Audit Audit, DeadLetterReplay DeadLetters)
{
    /// <summary>Wraps a service before the start; the host runs <see cref="DeadLetterReplay.Loops"/> as well.</summary>
    public static OperatedService Of(RunningService service) =>
        new(service.Audit, new DeadLetterReplay(service.Context, service.Audit));
}
