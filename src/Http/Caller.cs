using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>What a key may do. An endpoint asks for one of these, or for nothing by <see cref="Access.Open"/>.</summary>
public static class Scopes
{
    public const string Orders = "orders";

    /// <summary>May set unit prices that the catalogue does not know.</summary>
    public const string OrdersPrice = "orders:price";
    public const string Stock = "stock";
    public const string Payments = "payments";

    /// <summary>May see every saga and act on it; may change an order's status.</summary>
    public const string Operator = "operator";

    public static readonly FrozenSet<string> All =
        FrozenSet.Create(Orders, OrdersPrice, Stock, Payments, Operator);
}

/// <summary>Who calls. Set by the host before any endpoint runs.</summary>
/// <param name="Name">Who it is, for the audit and as the scope of idempotency keys: <c>local</c>, or the key's prefix.</param>
/// <param name="Merchant">Whose orders these are; <c>main</c> where there is one shop.</param>
/// <param name="Granted">Scopes out of <see cref="Scopes"/>.</param>
public sealed record Caller(string Name, string Merchant, FrozenSet<string> Granted)
{
    /// <summary>Everybody who reaches the loopback interface of a host without keys.</summary>
    public static readonly Caller Local = new("local", "main", Scopes.All);

    public bool May(string scope) => Granted.Contains(scope);

    public static Caller Of(HttpContext http) => (Caller?)http.Items[typeof(Caller)]
        ?? throw new InvalidOperationException("The host let a request through without saying who calls.");

    public static void Set(HttpContext http, Caller caller) => http.Items[typeof(Caller)] = caller;
}

/// <summary>Metadata of an endpoint. One without it is denied (DESIGN.md, section 8).</summary>
/// <param name="Scope">What the caller must hold; null: open to all.</param>
public sealed record Access(string? Scope)
{
    public static readonly Access Open = new((string?)null);
}

public static class AccessExtensions
{
    public static TBuilder Require<TBuilder>(this TBuilder builder, string scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Access(scope));

    public static TBuilder OpenToAll<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(Access.Open);
}
