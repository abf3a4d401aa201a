using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Orderwright.Http;

/// <summary>Caller of a request, set by the host before any endpoint runs.</summary>
/// <param name="Name">Name in the audit and scope of idempotency keys: <c>local</c>, or the key's prefix.</param>
/// <param name="Channels">Channels whose orders, payments and sagas the caller sees and changes.</param>
/// <param name="Granted">Scopes out of <see cref="Scopes"/>.</param>
/// <param name="MaxDiscount">
/// Highest discount without <see cref="Scopes.OrdersPrice"/>, in percent of the total without discounts; 0 to 100.
/// </param>
public sealed record Caller(string Name, ChannelSet Channels, FrozenSet<string> Granted, int MaxDiscount = 0)
{
    /// <summary>Any caller on the loopback interface of a host without keys.</summary>
    public static readonly Caller Local = new("local", ChannelSet.All, Scopes.All);

    /// <summary>Cancelled when the key ends: revoked, expired or changed. Live streams end with it.</summary>
    public CancellationToken Ended { get; init; }

    /// <summary>True for a granted scope, and for a scope that a granted one includes.</summary>
    public bool May(string scope) => Scopes.AreGranted(Granted, scope);

    /// <summary>Highest discount of an order, in percent of the total without discounts.</summary>
    public int DiscountLimit => May(Scopes.OrdersPrice) ? 100 : MaxDiscount;

    public static Caller Of(HttpContext http) => Find(http)
        ?? throw new InvalidOperationException("The host admitted a request without setting its caller.");

    /// <summary>Caller of a request; null where the host sets none.</summary>
    public static Caller? Find(HttpContext http) => (Caller?)http.Items[typeof(Caller)];

    public static void Set(HttpContext http, Caller caller) => http.Items[typeof(Caller)] = caller;
}

/// <summary>Budget of requests that an endpoint's callers draw on (docs/how-to/manage-api-keys.md).</summary>
public enum CallBudget
{
    /// <summary>Budget of the key; without a key, of the address.</summary>
    Caller,

    /// <summary>Budget of an address for the webhooks of gateways.</summary>
    Webhook,

    /// <summary>No limit: probes, whose refusal would look like an outage.</summary>
    None,
}

/// <summary>
/// Access rule of an endpoint, as metadata. An endpoint without a rule is denied (docs/reference/http-api.md).
/// </summary>
/// <param name="Scope">Required scope; null where any key will do, or none.</param>
/// <param name="NeedsKey">False: open to all.</param>
/// <param name="Budget">Budget of the callers.</param>
/// <param name="AllChannels">True where the operation concerns the rows of all channels: the caller must reach all.</param>
public sealed record Access(
    string? Scope, bool NeedsKey = true, CallBudget Budget = CallBudget.Caller, bool AllChannels = false)
{
    public static readonly Access Open = new(null, NeedsKey: false);

    /// <summary>Any valid key, whatever its scopes.</summary>
    public static readonly Access AnyKey = new(Scope: null);
}

public static class AccessExtensions
{
    public static TBuilder Require<TBuilder>(this TBuilder builder, string scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Access(scope));

    /// <summary>As <see cref="Require"/>, and open only to callers of all channels.</summary>
    public static TBuilder RequireAllChannels<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Access(scope, AllChannels: true));

    public static TBuilder OpenToAll<TBuilder>(this TBuilder builder, CallBudget budget = CallBudget.Caller)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(Access.Open with { Budget = budget });
}
