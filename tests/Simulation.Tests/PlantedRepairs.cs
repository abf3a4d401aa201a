using Orderwright.Contracts;
using Orderwright.CustomerService.Payments;
using Orderwright.Verification.Healing;

namespace Orderwright.Simulation.Tests;

/// <summary>A restored service works before it is healed.</summary>
sealed class FenceIgnored : PlantedBug
{
    public override bool IgnoresFences => true;
}

/// <summary>customer-service forgets its keys with its database.</summary>
sealed class LostPaymentRequestedUnderAnotherKey : PlantedBug
{
    public override IPaymentProvider Wrap(Node node, IPaymentProvider provider) => new AlteredProvider(provider)
    {
        Call = (request, call) => call(
            request.Operation == GatewayOperations.Authorize && node.World.SetBack(ServiceNames.Customer).Count > 0
                ? request with { Key = $"{request.Key}0" }
                : request),
    };
}

/// <summary>Payments are never repaired.</summary>
sealed class LostChargeNotTakenOver : PlantedBug
{
    public override IHealedServices Wrap(IHealedServices services) => new AlteredRepairs(services)
    {
        Payments = request => request with
        {
            Orders = [.. request.Orders.Where(repair => repair.To == PaymentTargets.Told)],
        },
    };
}

/// <summary>Shipments that one side has lost are neither booked nor recorded again.</summary>
sealed class ShipmentsForgotten : PlantedBug
{
    public override IHealedServices Wrap(IHealedServices services) => new AlteredRepairs(services)
    {
        Orders = request => request with
        {
            Orders = [.. request.Orders.Select(repair => repair with { Shipped = null, AskAgain = null })],
        },
    };
}

/// <summary>Goods of confirmed orders are released instead of allocated.</summary>
sealed class GoodsReleased : PlantedBug
{
    public override IHealedServices Wrap(IHealedServices services) => new AlteredRepairs(services)
    {
        Reservations = request => request with
        {
            Orders = [.. request.Orders.Select(repair => repair with { To = ReservationStates.Released })],
        },
    };
}

/// <summary>The first order of every request is left out.</summary>
sealed class OrdersSkipped : PlantedBug
{
    public override IHealedServices Wrap(IHealedServices services) => new AlteredRepairs(services)
    {
        Sagas = request => request with { Orders = [.. request.Orders.Skip(1)] },
        Reservations = request => request with { Orders = [.. request.Orders.Skip(1)] },
        Payments = request => request with { Orders = [.. request.Orders.Skip(1)] },
        Orders = request => request with { Orders = [.. request.Orders.Skip(1)] },
    };
}

/// <summary>Repairs altered on their way to the services.</summary>
sealed class AlteredRepairs(IHealedServices inner) : IHealedServices
{
    static readonly HealResponse Nothing = new(0, 0, []);

    public Func<HealSagasRequest, HealSagasRequest> Sagas { get; init; } = request => request;

    public Func<HealReservationsRequest, HealReservationsRequest> Reservations { get; init; } = request => request;

    public Func<HealPaymentsRequest, HealPaymentsRequest> Payments { get; init; } = request => request;

    public Func<HealOrdersRequest, HealOrdersRequest> Orders { get; init; } = request => request;

    public Task<IReadOnlyList<ClosedFence>> FencesAsync(CancellationToken cancel) => inner.FencesAsync(cancel);

    public Task<bool> ResumeAsync(string service, string reason, CancellationToken cancel) =>
        inner.ResumeAsync(service, reason, cancel);

    public Task<bool> AcceptAsync(string service, string reason, CancellationToken cancel) =>
        inner.AcceptAsync(service, reason, cancel);

    public Task<HealResponse?> HealAsync(HealSagasRequest request, CancellationToken cancel) =>
        Sagas(request) is { Orders.Count: > 0 } altered ? inner.HealAsync(altered, cancel) : Done();

    public Task<HealResponse?> HealAsync(HealReservationsRequest request, CancellationToken cancel) =>
        Reservations(request) is { } altered && (altered.Orders.Count > 0 || altered.Products is not null)
            ? inner.HealAsync(altered, cancel)
            : Done();

    public Task<HealResponse?> HealAsync(HealPaymentsRequest request, CancellationToken cancel) =>
        Payments(request) is { Orders.Count: > 0 } altered ? inner.HealAsync(altered, cancel) : Done();

    public Task<HealResponse?> HealAsync(HealOrdersRequest request, CancellationToken cancel) =>
        Orders(request) is { Orders.Count: > 0 } altered ? inner.HealAsync(altered, cancel) : Done();

    static Task<HealResponse?> Done() => Task.FromResult<HealResponse?>(Nothing);
}
