using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Stable names of a saga's states, phases and outcomes, as used in the API, in messages and in the table.
/// </summary>
public static class SagaNames
{
    public static readonly IReadOnlyList<string> Statuses =
        [.. Enum.GetValues<SagaStatus>().Where(status => status != SagaStatus.NotStarted).Select(Of)];

    public static string Of(SagaStatus status) => status switch
    {
        SagaStatus.Running => "running",
        SagaStatus.Waiting => "waiting",
        SagaStatus.Compensating => "compensating",
        SagaStatus.Completed => "completed",
        SagaStatus.Compensated => "compensated",
        SagaStatus.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "A saga that has not started has no name of a state."),
    };

    public static string Of(LegPhase phase) => phase switch
    {
        LegPhase.Asked => "asked",
        LegPhase.Waiting => "waiting",
        LegPhase.InDoubt => "indoubt",
        LegPhase.Stuck => "stuck",
        LegPhase.Completed => "completed",
        LegPhase.Rejected => "rejected",
        LegPhase.Skipped => "skipped",
        LegPhase.GivenUp => "given_up",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "Unknown phase."),
    };

    public static string Of(Announcement outcome) => outcome switch
    {
        Announcement.Pivoted => "confirmed",
        Announcement.Completed => "completed",
        Announcement.Rejected => "rejected",
        Announcement.Expired => "expired",
        Announcement.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Unknown outcome."),
    };
}
