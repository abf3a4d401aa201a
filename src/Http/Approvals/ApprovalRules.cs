using Microsoft.AspNetCore.Http;

namespace Orderwright.Http.Approvals;

/// <summary>Decision of a person about an approval.</summary>
/// <param name="Id">The approval.</param>
/// <param name="Approves">False: rejects.</param>
/// <param name="Reason">Words of the person; null for none.</param>
public sealed record Verdict(Guid Id, bool Approves, string? Reason)
{
    public string State => Approves ? ApprovalStates.Approved : ApprovalStates.Rejected;
}

/// <summary>Rules of approvals. Pure.</summary>
public static class ApprovalRules
{
    /// <summary>Refuses a verdict; null if the person may decide now.</summary>
    /// <param name="approval">The approval as it stands.</param>
    /// <param name="person">Name of the deciding person.</param>
    /// <param name="now">Time of the decision.</param>
    public static Answer? Refuse(Approval approval, string person, DateTimeOffset now) => approval switch
    {
        { State: ApprovalStates.Expired } => Expired(approval),
        { State: ApprovalStates.Pending } when approval.ExpiresAt <= now => Expired(approval),
        { State: not ApprovalStates.Pending } => Problem.Conflict(
            ProblemCodes.AlreadyDecided, $"{approval.DecidedBy} has {approval.State} the operation."),
        _ when approval.RequestedBy == person => Problem.Of(
            StatusCodes.Status403Forbidden, ProblemCodes.OwnApproval,
            "The operation was requested by the same person; another has to decide."),
        _ => null,
    };

    /// <summary>True for a repeated verdict, whose effect is already there.</summary>
    public static bool IsRepeated(Approval approval, Verdict verdict, string person) =>
        approval.State == verdict.State && approval.DecidedBy == person;

    public static Approval Decide(Approval approval, Verdict verdict, string person, DateTimeOffset now) => approval with
    {
        State = verdict.State, DecidedBy = person, DecidedAt = now, DecisionReason = verdict.Reason,
    };

    public static Approval Expire(Approval approval, DateTimeOffset now) =>
        approval with { State = ApprovalStates.Expired, DecidedAt = now };

    static Answer Expired(Approval approval) => Problem.Conflict(
        ProblemCodes.ApprovalExpired, $"The approval expired at {approval.ExpiresAt:u}. Request the operation again.");
}
