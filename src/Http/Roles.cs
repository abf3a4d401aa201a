using System.Collections.Frozen;

namespace Orderwright.Http;

/// <summary>
/// Roles of people and programs, each a name for scopes. Scopes remain what is checked: a role is replaced by its scopes when a
/// key, a token or a session is read.
/// </summary>
public static class Roles
{
    /// <summary>Role that reads orders, payments and customers, cancels orders, and refunds up to a limit.</summary>
    public const string Support = "support";

    /// <summary>Role that ships orders, and receives, adjusts and counts goods.</summary>
    public const string Warehouse = "warehouse";

    /// <summary>Role that moves money, reconciles, gives credit, and approves.</summary>
    public const string Finance = "finance";

    /// <summary>Role that repairs orders, and approves.</summary>
    public const string Operator = "operator";

    /// <summary>Role that reads everything and changes nothing.</summary>
    public const string Auditor = "auditor";

    /// <summary>Role with every scope.</summary>
    public const string Admin = "admin";

    static readonly string[] Reads =
    [
        Scopes.OrdersRead, Scopes.StockRead, Scopes.Payments, Scopes.CustomersRead, Scopes.CreditRead, Scopes.OperatorRead,
    ];

    /// <summary>Scopes by role.</summary>
    public static readonly FrozenDictionary<string, FrozenSet<string>> Table = new Dictionary<string, FrozenSet<string>>
    {
        [Support] = [.. Reads, Scopes.OrdersCancel, Scopes.PaymentsRefund],
        [Warehouse] = [Scopes.OrdersRead, Scopes.OrdersShip, Scopes.Stock, Scopes.OperatorRead],
        [Finance] = [.. Reads, Scopes.PaymentsWrite, Scopes.Reconcile, Scopes.Credit, Scopes.Approvals],
        [Operator] = [.. Reads, Scopes.Operator, Scopes.OrdersCancel],
        [Auditor] = [.. Reads, Scopes.Metrics],
        [Admin] = Scopes.All,
    }.ToFrozenDictionary();

    /// <summary>Names of the roles, in the order of the documentation.</summary>
    public static readonly IReadOnlyList<string> All = [Support, Warehouse, Finance, Operator, Auditor, Admin];

    /// <summary>Scopes of a caller with roles, in alphabetical order. Throws for an unknown role.</summary>
    public static IReadOnlyList<string> ScopesOf(IEnumerable<string> roles, IEnumerable<string> scopes) =>
        [.. roles.SelectMany(role => Table[role]).Concat(scopes).Distinct().Order(StringComparer.Ordinal)];
}
