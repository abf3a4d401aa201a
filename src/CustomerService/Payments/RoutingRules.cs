using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Which gateway a payment goes to, and which one after it. Pure. The next one is tried only when all attempts before it
/// certainly had no effect: of two gateways never both hold the money.
/// </summary>
public static class RoutingRules
{
    /// <summary>
    /// The gateways for a payment, in order, those that are down last; null when no route has this name, and the order
    /// names a gateway itself.
    /// </summary>
    public static IReadOnlyList<string>? Candidates(
        IReadOnlyList<PaymentRoute> routes, PaymentMethod method, string currency, long amountMinor, IReadOnlySet<string> down)
    {
        if (routes.All(route => route.Name != method.Provider)) return null;
        return RouteOf(routes, method.Provider, currency, amountMinor) is { } route
            ? [.. route.Gateways.Where(name => TokenOf(method.Token, name) is not "").OrderBy(down.Contains)]
            : [];
    }

    /// <summary>
    /// The gateway that is asked instead of the one that was, after what that one said; null: nobody, it is asked again or
    /// has the last word.
    /// </summary>
    public static string? Instead(
        IReadOnlyList<PaymentRoute> routes, PaymentFile file, GatewayCall call, GatewayResult said, IReadOnlySet<string> down)
    {
        if (file.Payment is not { Route: { } name, UndoStep: null, Currency: { } currency } payment
            || call is not { Operation: GatewayOperations.Authorize, State: CallStates.Open, AskedBy: null }
            || RouteOf(routes, name, currency, payment.AmountMinor) is not { } route
            || !CertainlyDidNothing(call, said, route.AlsoWhenDeclined))
            return null;
        var tried = file.Calls.Where(one => one.Operation == GatewayOperations.Authorize).Select(one => one.Provider ?? "");
        return route.Gateways.Except(tried).FirstOrDefault(
            next => !down.Contains(next) && TokenOf(payment.Token, next) is not "");
    }

    /// <summary>
    /// The gateway that takes over an attempt which waits for one that is down: any other of the route, also one that was
    /// tried before; null for none.
    /// </summary>
    public static string? TakesOver(IReadOnlyList<PaymentRoute> routes, PaymentFile file, IReadOnlySet<string> down)
    {
        if (file is not
            {
                Payment: { Route: { } name, UndoStep: null, Currency: { } currency } payment,
                Open: { Operation: GatewayOperations.Authorize, State: CallStates.Retry } call,
            }
            || call.Code != ReasonCodes.ProviderUnavailable || !down.Contains(payment.Provider!))
            return null;
        return RouteOf(routes, name, currency, payment.AmountMinor)?.Gateways.FirstOrDefault(
            next => next != payment.Provider && !down.Contains(next) && TokenOf(payment.Token, next) is not "");
    }

    /// <summary>
    /// A token is one gateway's own. It is given as it is to every gateway of a route that takes the same ones; else the
    /// order says one for each, <c>stripe=pm_1;http=tok_2</c>, and a gateway for which there is none (an empty text here)
    /// is not asked.
    /// </summary>
    public static string? TokenOf(string? token, string gateway)
    {
        if (token is null || !token.Contains('=', StringComparison.Ordinal)) return token;
        var parts = token.Split(';', StringSplitOptions.RemoveEmptyEntries);
        // A token of its own may well end in equals signs; in a pair something stands on both sides.
        if (!parts.All(part => part.Split('=') is [{ Length: > 0 }, { Length: > 0 }])) return token;
        return parts.FirstOrDefault(part => part.StartsWith($"{gateway}=", StringComparison.Ordinal)) is { } its
            ? its[(gateway.Length + 1)..]
            : "";
    }

    // Its very first request, or one after others that had no effect either.
    static bool CertainlyDidNothing(GatewayCall call, GatewayResult said, bool alsoWhenDeclined)
    {
        if (call is not ({ Code: null, Attempts: <= 1 } or { Code: ReasonCodes.ProviderUnavailable })) return false;
        return said is GatewayResult.Unavailable or GatewayResult.NotAsked { LookUp: false }
            || (alsoWhenDeclined && said is GatewayResult.Declined);
    }

    static PaymentRoute? RouteOf(IReadOnlyList<PaymentRoute> routes, string name, string currency, long amountMinor) =>
        routes.FirstOrDefault(route =>
            route.Name == name && (route.Currencies.Count == 0 || route.Currencies.Contains(currency))
            && amountMinor >= route.FromMinor && amountMinor <= route.UpToMinor);
}
