using Orderwright.Contracts;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// Findings that remain after <c>heal</c>: conflicts that its report names, and facts that only the restored service held
/// (<see cref="Verification.Healing.Unrecoverable"/>). Every other finding after a restore is a fault.
/// </summary>
/// <param name="Service">The restored service.</param>
/// <param name="What">Beginning of the finding.</param>
sealed record LostFacts(string Service, string What)
{
    static readonly IReadOnlyList<LostFacts> All =
    [
        // No other service has heard of the order, or of its cancellation.
        new(ServiceNames.Order, "was acknowledged with 2xx but does not exist"),
        new(ServiceNames.Order, "was cancelled with 2xx but went through"),
        // A response under an Idempotency-Key is lost, and a repeated request is a new one.
        new(ServiceNames.Order, "got "),
        new(ServiceNames.Order, "is the second order for one request"),
        new(ServiceNames.Order, "stood in the way of "),
        new(ServiceNames.Order, "is named as the order "),
        new(ServiceNames.Coordinator, "was stopped by an operator with 2xx but went through"),
    ];

    public static void Remove(List<Finding> findings, World world)
    {
        if (world.Healed is not { } healed) return;
        // A repair without the expected result, or a contradiction, is no consequence of a restore.
        var conflicts = healed.Conflicts
            .Where(conflict => conflict.Code is not (HealConflicts.NotRepaired or HealConflicts.Contradiction))
            .Select(conflict => conflict.OrderId.ToString()).ToHashSet();
        findings.RemoveAll(finding => conflicts.Contains(finding.Subject)
            || All.Any(lost => world.WasRestored(lost.Service)
                && finding.What.StartsWith(lost.What, StringComparison.Ordinal)));
    }
}
