using Orderwright.Contracts;

namespace Orderwright.Verification.Healing;

/// <summary>Operations of the services that <see cref="HealRun"/> drives: the HTTP API, or the simulated services.</summary>
public interface IHealedServices
{
    /// <summary>Services with a closed fence.</summary>
    Task<IReadOnlyList<ClosedFence>> FencesAsync(CancellationToken cancel);

    Task<HealResponse?> HealAsync(HealSagasRequest request, CancellationToken cancel);

    Task<HealResponse?> HealAsync(HealReservationsRequest request, CancellationToken cancel);

    Task<HealResponse?> HealAsync(HealPaymentsRequest request, CancellationToken cancel);

    Task<HealResponse?> HealAsync(HealOrdersRequest request, CancellationToken cancel);

    /// <summary>Lets a service handle messages and jobs again; false if it cannot be reached.</summary>
    Task<bool> ResumeAsync(string service, string reason, CancellationToken cancel);

    /// <summary>Lets a service accept requests again, too; false if it cannot be reached.</summary>
    Task<bool> AcceptAsync(string service, string reason, CancellationToken cancel);
}

/// <summary>Service whose database is behind.</summary>
/// <param name="Service">Name of the service.</param>
/// <param name="IsResumed">True if messages and jobs go on, and only requests are refused.</param>
public sealed record ClosedFence(string Service, bool IsResumed);

/// <summary>Difference between the services, before any repair.</summary>
/// <param name="Service">The service that is behind.</param>
/// <param name="What">The difference, such as <c>saga missing</c>.</param>
/// <param name="Orders">Number of orders.</param>
/// <param name="Since">Placing of the first of these orders.</param>
/// <param name="Example">The first of these orders.</param>
public sealed record HealDifference(string Service, string What, long Orders, DateTimeOffset Since, Guid Example);

/// <summary>Progress after a pass over all orders.</summary>
/// <param name="Number">1 and up.</param>
/// <param name="Orders">Number of orders read.</param>
/// <param name="Repairs">Number of repairs sent.</param>
/// <param name="Moving">Number of orders that the services are still bringing forward.</param>
public sealed record HealPass(int Number, long Orders, long Repairs, long Moving);

/// <summary>Result of a run.</summary>
/// <param name="Behind">Services that accepted nothing but repairs at the beginning.</param>
/// <param name="Differences">Differences found in the first pass.</param>
/// <param name="Conflicts">Repairs that only a person can make, the newest orders first.</param>
/// <param name="Unrecoverable">Facts that only a restored service held.</param>
/// <param name="Passes">Passes over all orders.</param>
/// <param name="Orders">Orders read in the last pass.</param>
/// <param name="Repairs">Repairs carried out.</param>
/// <param name="Agrees">True when the services agree, apart from the conflicts; false for a preview with differences.</param>
public sealed record HealReport(
    IReadOnlyList<string> Behind, IReadOnlyList<HealDifference> Differences, IReadOnlyList<HealConflict> Conflicts,
    IReadOnlyList<string> Unrecoverable, int Passes, long Orders, long Repairs, bool Agrees);

/// <summary>Facts that no other service holds, per service.</summary>
public static class Unrecoverable
{
    public static string Of(string service) => service switch
    {
        ServiceNames.Order =>
            "order-service: orders and cancellations that no other service has heard of; responses under Idempotency-Keys, so a "
            + "client that repeats such a request places a second order; metadata, the split of adjustments, webhook "
            + "endpoints added or changed; tracking details, and fulfilments that stock-service has not booked; the audit.",
        ServiceNames.Coordinator =>
            "saga-coordinator: actions of operators that no participant has heard of; times and attempts of steps; owners and "
            + "notes of incidents; the audit.",
        ServiceNames.Customer =>
            "customer-service: names and addresses of customers registered or changed; store credit given; refunds to store "
            + "credit that order-service has not heard of; reconciliations; the audit.",
        _ =>
            "stock-service: products and prices added or changed; goods received, counted or adjusted: count the stock; the "
            + "audit.",
    };
}
