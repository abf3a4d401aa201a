using Orderwright.Contracts;

namespace Orderwright.Verification.Healing;

/// <summary>Repairs of the rows about one order, at most one per service, and conflicts between the services.</summary>
public sealed record HealPlan(Guid OrderId)
{
    public SagaRepair? Saga { get; init; }

    public ReservationRepair? Reservation { get; init; }

    public PaymentRepair? Payment { get; init; }

    public OrderRepair? Order { get; init; }

    /// <summary>Difference per service, for the report.</summary>
    public IReadOnlyList<(string Service, string What)> Differences { get; init; } = [];

    public HealConflict? Conflict { get; init; }

    /// <summary>True while the services are about to bring the order forward by themselves.</summary>
    public bool IsMoving { get; init; }

    public bool IsEmpty => Saga is null && Reservation is null && Payment is null && Order is null;

    public HealPlan With(SagaRepair repair, string what) => this with
    {
        Saga = repair, Differences = [.. Differences, (ServiceNames.Coordinator, what)],
    };

    public HealPlan With(ReservationRepair repair, string what) => this with
    {
        Reservation = repair, Differences = [.. Differences, (ServiceNames.Stock, what)],
    };

    /// <param name="repair">The repair.</param>
    /// <param name="what">The difference; null for a comparison with the gateway that may find none.</param>
    public HealPlan With(PaymentRepair repair, string? what) => this with
    {
        Payment = repair, Differences = what is null ? Differences : [.. Differences, (ServiceNames.Customer, what)],
    };

    public HealPlan With(OrderRepair repair, string what) => this with
    {
        Order = repair, Differences = [.. Differences, (ServiceNames.Order, what)],
    };
}
