using Orderwright.Contracts;

namespace Orderwright.Verification;

/// <summary>Suggested repairs: the command or the call that repairs a finding, or the place to look first.</summary>
public static class Repairs
{
    public const string Reconcile =
        "Compare with the gateway's own record, which names the call for each difference: ./orderwright reconcile --from DATE";

    public const string Journal =
        "The journal cannot be changed by a service, so the other table was probably changed by hand. Find out which record "
        + "agrees with the gateway (./orderwright reconcile), and restore customer-service's database from the last backup that "
        + "agrees.";

    public const string EndHold =
        "Start all services: stock-service asks the coordinator about holds of more than 15 minutes, and the coordinator "
        + "releases them. If the finding stays, the log of stock-service names the cause (\"the job ask-about-holds failed\").";

    public static string Restore(string service) =>
        $"Only a backup of {service}'s database can bring the rows back: docs/operations/backup.md.";

    public static string Why(Guid orderId) => $"Find out what the process says: ./orderwright why {orderId}";

    public static string Payment(Guid orderId) =>
        $"Look at the payment and its attempts (GET /api/v1/payments/{orderId}), and compare with the gateway: "
        + "./orderwright reconcile";

    public static string Cancel(Guid orderId) => $"./orderwright cancel {orderId} --reason other";

    public static string Refund(PaymentRow payment) =>
        $"POST /api/v1/payments/{payment.OrderId}/refunds "
        + $"{{\"amount\":{payment.Captured - payment.Refunded},\"reason\":\"…\"}}";

    public static string Release(Guid orderId) =>
        $"POST /api/v1/payments/{orderId}/void {{\"reason\":\"…\"}}, or release the money at the gateway.";

    public static string Adopt(Guid orderId) =>
        "If the gateway has the charge, take it over, and never return the money of an order that stands: "
        + $"./orderwright adopt {orderId} --reason '…' --preview. Otherwise cancel the order: {Cancel(orderId)}";

    public static string UndoAgain(SagaRow? saga) => saga is { State: SagaStates.Failed }
        ? $"./orderwright retry {saga.OrderId} --reason '…'"
        : Restore(ServiceNames.Stock);

    public static string BookShipment(Guid orderId) =>
        $"order-service asks again until stock-service books the goods: GET /api/v1/orders/{orderId}/fulfilments says why not. "
        + Restore(ServiceNames.Stock);

    public static string StartServices(Guid orderId) =>
        $"Start the services; an order goes on by itself. If all are running: ./orderwright why {orderId}";

    public static string Level(string sku) =>
        $"Count the goods, and set the level: PUT /api/v1/stock/{sku} {{\"onHand\":N}}. If the sums still differ, restore "
        + "stock-service's database (docs/operations/backup.md).";
}
