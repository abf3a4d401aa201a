using System.Collections.Frozen;
using Orderwright.Contracts;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Chooses the gateway of a payment, and the next one after a failure. Pure. The next gateway is tried only when all
/// earlier attempts certainly had no effect, so two gateways never hold the money at once.
/// </summary>
public static class RoutingRules
{
    /// <summary>
    /// Gateways for a payment in order of preference, unavailable ones last. Null when no route has the name given by the
    /// order, which then names a gateway itself.
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
    /// Gateways that may have a charge of an order whose payment is unknown here: the one named by the order, or all of a
    /// route, of any rule, because the price may be unknown. Empty for store credit, which is in our own record only.
    /// </summary>
    public static IReadOnlyList<string> MayHoldMoney(
        IReadOnlyList<PaymentRoute> routes, PaymentMethod method, IReadOnlySet<string> gateways)
    {
        var named = routes.Where(route => route.Name == method.Provider).ToList();
        return named.Count > 0
            ? [.. named.SelectMany(route => route.Gateways).Distinct().Where(name => TokenOf(method.Token, name) is not "")]
            : gateways.Contains(method.Provider) ? [method.Provider]
            : [];
    }

    /// <summary>Next gateway to ask for a charge of an unknown payment; null when all were asked.</summary>
    public static string? AskNext(IReadOnlyList<PaymentRoute> routes, PaymentCase paymentCase) =>
        paymentCase.Payment is { Route: { } name, Token: var token }
            ? MayHoldMoney(routes, new PaymentMethod(name, token), FrozenSet<string>.Empty)
                .Except(paymentCase.Attempts.Select(attempt => attempt.Provider ?? "")).FirstOrDefault()
            : null;

    /// <summary>Gateway to try next after a result; null when the current gateway stays responsible.</summary>
    public static string? Instead(
        IReadOnlyList<PaymentRoute> routes, PaymentCase paymentCase, PaymentAttempt attempt, GatewayResult result,
        IReadOnlySet<string> down)
    {
        if (paymentCase.Payment is not { Route: { } name, UndoStep: null, Currency: { } currency } payment
            || attempt is not { Operation: GatewayOperations.Authorize, State: AttemptStates.Open, RequestedBy: null }
            || RouteOf(routes, name, currency, payment.AmountMinor) is not { } route
            || !CertainlyDidNothing(attempt, result, route.AlsoWhenDeclined))
            return null;
        var tried = paymentCase.Attempts.Where(earlier => earlier.Operation == GatewayOperations.Authorize)
            .Select(earlier => earlier.Provider ?? "");
        return route.Gateways.Except(tried).FirstOrDefault(
            next => !down.Contains(next) && TokenOf(payment.Token, next) is not "");
    }

    /// <summary>
    /// Gateway that takes over an attempt waiting for an unavailable one: any other of the route, including those tried
    /// before; null for none.
    /// </summary>
    public static string? TakesOver(IReadOnlyList<PaymentRoute> routes, PaymentCase paymentCase, IReadOnlySet<string> down)
    {
        if (paymentCase is not
            {
                Payment: { Route: { } name, UndoStep: null, Currency: { } currency } payment,
                Open: { Operation: GatewayOperations.Authorize, State: AttemptStates.Retry } attempt,
            }
            || attempt.Code != ReasonCodes.ProviderUnavailable || !down.Contains(payment.Provider!))
            return null;
        return RouteOf(routes, name, currency, payment.AmountMinor)?.Gateways.FirstOrDefault(
            next => next != payment.Provider && !down.Contains(next) && TokenOf(payment.Token, next) is not "");
    }

    /// <summary>
    /// Token for one gateway. A plain token goes to every gateway of a route. A list such as
    /// <c>stripe=pm_1;http=tok_2</c> names one per gateway; the result is empty for a gateway without a token, which is
    /// skipped.
    /// </summary>
    public static string? TokenOf(string? token, string gateway)
    {
        if (token is null || !token.Contains('=', StringComparison.Ordinal)) return token;
        var parts = token.Split(';', StringSplitOptions.RemoveEmptyEntries);
        // A plain token may end in equals signs; a pair has text on both sides.
        if (!parts.All(part => part.Split('=') is [{ Length: > 0 }, { Length: > 0 }])) return token;
        return parts.FirstOrDefault(part => part.StartsWith($"{gateway}=", StringComparison.Ordinal)) is { } pair
            ? pair[(gateway.Length + 1)..]
            : "";
    }

    // True for the very first request, or one after others that had no effect either.
    static bool CertainlyDidNothing(PaymentAttempt attempt, GatewayResult result, bool alsoWhenDeclined)
    {
        if (attempt is not ({ Code: null, Sends: <= 1 } or { Code: ReasonCodes.ProviderUnavailable })) return false;
        return result is GatewayResult.Unavailable or GatewayResult.NotAsked { LookUp: false }
            || (alsoWhenDeclined && result is GatewayResult.Declined);
    }

    static PaymentRoute? RouteOf(IReadOnlyList<PaymentRoute> routes, string name, string currency, long amountMinor) =>
        routes.FirstOrDefault(route =>
            route.Name == name && (route.Currencies.Count == 0 || route.Currencies.Contains(currency))
            && amountMinor >= route.FromMinor && amountMinor <= route.UpToMinor);
}
