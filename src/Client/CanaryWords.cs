namespace Orderwright.Client;

/// <summary>Order of a bulk action in words.</summary>
public static class CanaryWords
{
    /// <summary>Such as <c>1 first, then 6</c>; <c>all 7 at once</c> without a canary batch.</summary>
    /// <param name="canary">Orders that are acted on first.</param>
    /// <param name="total">All orders.</param>
    public static string Of(long canary, long total) =>
        canary <= 0 ? $"all {total} at once"
        : canary >= total ? $"{total} at once, as the canary batch"
        : $"{canary} first, then {total - canary}";
}
