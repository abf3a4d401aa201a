using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>Repair of a saga that was lost, or set back, with its database (docs/adr/0033). Pure.</summary>
static class SagaRecovery
{
    /// <summary>The repaired saga; null where the facts do not suffice.</summary>
    /// <param name="repair">Facts of the other services.</param>
    /// <param name="known">The saga as stored; null for a lost one.</param>
    /// <param name="current">Process of new sagas.</param>
    /// <param name="now">Time of the repair.</param>
    public static SagaProgress? Of(SagaRepair repair, SagaRecord? known, SagaDefinition current, DateTimeOffset now)
    {
        if (repair.To == SagaTargets.Announced)
        {
            if (known is null) return null;
            var announced = SagaProgress.Of(known, now);
            announced.Take(new SagaEvent.Started());
            return announced;
        }
        if (known is not null && repair.To == SagaTargets.Running)
            return SagaProgress.Recover(known, known.Facts, known.Payment, EventOf(repair), now);
        if (repair.Order is not { } order) return null;
        var facts = new OrderFacts(order, known?.Facts.TraceParent, known?.Facts.TraceState);
        return SagaProgress.Recover(
            known ?? SagaProgress.New(repair.OrderId, facts, current, now), facts,
            repair.Payment ?? known?.Payment ?? PaymentTotals.None, EventOf(repair), now);
    }

    static SagaEvent.Recovered EventOf(SagaRepair repair) => repair.To switch
    {
        SagaTargets.Confirmed => new(
            Recovery.Pivoted, Known: repair.IsPaid ? new(StepNames.AuthorizePayment, OrderSaga.Captured) : null),
        SagaTargets.Undone => new(
            Recovery.Undone, ReasonOf(repair.Ending!), repair.Ending!.CancelReason),
        _ => new(Recovery.Running),
    };

    static SagaReason ReasonOf(SagaEnding ending) => new(
        ending.Status switch
        {
            OrderStatuses.Rejected => Announcement.Rejected,
            OrderStatuses.Expired => Announcement.Expired,
            _ => Announcement.Cancelled,
        },
        ending.Code, ending.Message, null);
}
