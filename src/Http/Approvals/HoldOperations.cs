using System.Globalization;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.Http.Approvals;

/// <summary>Keeps operations above an amount until a second person decides. Nothing waits without such an amount.</summary>
/// <param name="context">Service that carries the operations out.</param>
/// <param name="audit">Audit of that service.</param>
public sealed class HoldOperations(ServiceContext context, Audit audit)
{
    readonly (AmountLimits Above, TimeSpan Time) settings = ApprovalSettings.Read(context.Configuration);
    readonly ApprovalStore store = new(context.RuntimeSql);

    /// <summary>True if operations may have to wait.</summary>
    public bool IsOn => !settings.Above.IsEmpty;

    /// <summary>True for an amount above the setting.</summary>
    public bool Needs(string currency, long amountMinor) => settings.Above.Of(currency) is { } most && amountMinor > most;

    /// <summary>Orders out of the given ones with a pending approval; none while nothing has to wait.</summary>
    public async Task<HashSet<Guid>> PendingOfAsync(Work work, IReadOnlyCollection<Guid> orders) =>
        IsOn && orders.Count > 0 ? await store.PendingOfAsync(work, [.. orders.Distinct()]) : [];

    /// <summary>Refusal of a second operation on an order whose first one waits.</summary>
    public static Answer AlreadyWaits() => Problem.Conflict(
        ProblemCodes.ApprovalPending, "An operation on this order waits for a second person; it has to be decided first.");

    /// <summary>Approval of a caller's operation, to be saved with <see cref="SaveAsync"/>.</summary>
    /// <param name="work">Work of the batch.</param>
    /// <param name="request">Caller and trace of the request.</param>
    /// <param name="operation">One of <see cref="ApprovedOperations"/>.</param>
    /// <param name="about">Order, customer and channel, as far as known.</param>
    /// <param name="money">Amount and currency.</param>
    /// <param name="effect">Effect of the operation, one sentence.</param>
    /// <param name="reason">Words of the caller.</param>
    /// <param name="command">Request as JSON.</param>
    public Approval Hold<T>(
        Work work, Command<T> request, string operation, (Guid? OrderId, string? CustomerId, string? Channel) about,
        (long AmountMinor, string Currency) money, string effect, string? reason, string command) => new(
        work.NewId(), operation, about.OrderId, about.CustomerId, about.Channel, money.AmountMinor, money.Currency, effect,
        reason ?? "", command, request.Caller.Name, work.Now, work.Now + settings.Time, TraceId: request.TraceId);

    /// <summary>Response to the request of a waiting operation.</summary>
    public Answer Respond(Approval approval) => approval.Waiting(context.Service);

    /// <summary>Saves approvals in the transaction of their requests. Audited as <c>request</c>.</summary>
    public async Task SaveAsync(Work work, IReadOnlyList<Approval> held)
    {
        if (held.Count == 0) return;
        await store.InsertAsync(work, held);
        await audit.AppendAsync(
            work,
            [.. held.Select(approval => EntryOf(
                work, context.Service, approval, "request", approval.RequestedBy, approval.Reason, approval.TraceId))]);
    }

    internal static AuditEntry EntryOf(
        Work work, string service, Approval approval, string action, string actor, string reason, string? traceId) => new(
        work.NewId(), service, work.Now, actor, action, approval.OrderId, SubjectOf(approval), reason, null, null, traceId,
        Channel: approval.Channel);

    // Both people are in the record of either.
    static string SubjectOf(Approval approval) => string.Create(
        CultureInfo.InvariantCulture,
        $"{approval.Operation} {Money.Format(approval.AmountMinor, approval.Currency)}, requested by {approval.RequestedBy}");
}
