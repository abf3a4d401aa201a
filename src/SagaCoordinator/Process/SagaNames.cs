using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Stable names of a saga's states, phases and outcomes, as used in the API, in messages and in the table.
/// </summary>
public static class SagaNames
{
    public static string Of(SagaStatus status) => status switch
    {
        SagaStatus.Running => SagaStates.Running,
        SagaStatus.Waiting => SagaStates.Waiting,
        SagaStatus.Compensating => SagaStates.Compensating,
        SagaStatus.Completed => SagaStates.Completed,
        SagaStatus.Compensated => SagaStates.Compensated,
        SagaStatus.Failed => SagaStates.Failed,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "A saga that has not started has no name of a state."),
    };

    public static string Of(LegPhase phase) => phase switch
    {
        LegPhase.Asked => StepStates.Asked,
        LegPhase.Waiting => StepStates.Waiting,
        LegPhase.InDoubt => StepStates.InDoubt,
        LegPhase.Stuck => StepStates.Stuck,
        LegPhase.Completed => StepStates.Completed,
        LegPhase.Rejected => StepStates.Rejected,
        LegPhase.Skipped => StepStates.Skipped,
        LegPhase.GivenUp => StepStates.GivenUp,
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "Unknown phase."),
    };

    public static string Of(Announcement outcome) => outcome switch
    {
        Announcement.Pivoted => OrderStatuses.Confirmed,
        Announcement.Completed => OrderStatuses.Completed,
        Announcement.Rejected => OrderStatuses.Rejected,
        Announcement.Expired => OrderStatuses.Expired,
        Announcement.Cancelled => OrderStatuses.Cancelled,
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome."),
    };
}
