namespace Orderwright.StepService;

/// <summary>Participants outside Orderwright, as reached by a coordinator.</summary>
public interface IStepParticipants
{
    /// <summary>Reason why the participant of a step cannot be called; null if it can.</summary>
    string? FaultOf(string step);

    /// <summary>Calls a participant once. Throws only when cancelled.</summary>
    Task<StepResult> CallAsync(Guid orderId, StepCall call, CancellationToken cancel);
}
