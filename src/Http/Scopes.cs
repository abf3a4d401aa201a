using System.Collections.Frozen;

namespace Orderwright.Http;

/// <summary>
/// Scopes of a caller. An endpoint requires a scope, or none with <see cref="Access.Open"/>. A wide scope includes narrower ones,
/// which <see cref="Roles"/> are made of.
/// </summary>
public static class Scopes
{
    /// <summary>Permission to place, read, cancel and ship orders, to read events, and to manage webhooks.</summary>
    public const string Orders = "orders";

    /// <summary>Permission to read orders, fulfilments, events and webhook endpoints.</summary>
    public const string OrdersRead = "orders:read";
    public const string OrdersCancel = "orders:cancel";
    public const string OrdersShip = "orders:ship";

    /// <summary>Permission to set unit prices other than the catalogue's, and to give discounts.</summary>
    public const string OrdersPrice = "orders:price";

    /// <summary>Permission to read and change products, levels and reservations, which are shared by all channels.</summary>
    public const string Stock = "stock";
    public const string StockRead = "stock:read";

    /// <summary>Permission to read payments.</summary>
    public const string Payments = "payments";

    /// <summary>Permission to refund payments, up to the limit of the settings.</summary>
    public const string PaymentsRefund = "payments:refund";

    /// <summary>Permission to capture, void, refund and resolve payments.</summary>
    public const string PaymentsWrite = "payments:write";

    /// <summary>Permission to begin reconciliations.</summary>
    public const string Reconcile = "reconcile";

    /// <summary>Permission to read, change and erase customers, who are shared by all channels.</summary>
    public const string Customers = "customers";
    public const string CustomersRead = "customers:read";

    /// <summary>Permission to read balances and to give store credit, which is shared by all channels.</summary>
    public const string Credit = "credit";
    public const string CreditRead = "credit:read";

    /// <summary>Permission to see and act on every saga, and to change an order's status.</summary>
    public const string Operator = "operator";

    /// <summary>Permission to read what an operator sees, and to open the console.</summary>
    public const string OperatorRead = "operator:read";

    /// <summary>Permission to approve and to reject operations of others.</summary>
    public const string Approvals = "approvals";
    public const string ApprovalsRead = "approvals:read";

    /// <summary>Permission to read the metrics, and nothing else. An operator may read them too.</summary>
    public const string Metrics = "metrics";

    public static readonly FrozenSet<string> All = FrozenSet.Create(
        Orders, OrdersRead, OrdersCancel, OrdersShip, OrdersPrice, Stock, StockRead, Customers, CustomersRead, Credit, CreditRead,
        Payments, PaymentsRefund, PaymentsWrite, Reconcile, Operator, OperatorRead, Approvals, ApprovalsRead, Metrics);

    // Each narrow scope with the scopes that include it, directly or through others.
    static readonly FrozenDictionary<string, string[]> Wider = new Dictionary<string, string[]>
    {
        [OrdersRead] = [Orders],
        [OrdersCancel] = [Orders],
        [OrdersShip] = [Orders],
        [StockRead] = [Stock],
        [CustomersRead] = [Customers],
        [CreditRead] = [Credit],
        [PaymentsRefund] = [PaymentsWrite, Operator],
        [PaymentsWrite] = [Operator],
        [Reconcile] = [Operator],
        [OperatorRead] = [Operator],
        [Approvals] = [Operator],
        [ApprovalsRead] = [Approvals, OperatorRead, Operator],
        [Metrics] = [Operator],
    }.ToFrozenDictionary();

    /// <summary>True if the scope is among the granted ones, or included in one of them.</summary>
    public static bool AreGranted(FrozenSet<string> granted, string scope) =>
        granted.Contains(scope) || (Wider.TryGetValue(scope, out var wider) && wider.Any(granted.Contains));
}
