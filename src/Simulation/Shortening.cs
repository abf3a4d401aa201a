namespace Orderwright.Simulation;

/// <summary>
/// Shortens a failing plan by removing items without which the run still fails. Delta debugging (Zeller, Hildebrandt:
/// Simplifying and isolating failure-inducing input, 2002) in its simplest form.
/// </summary>
public static class Shortening
{
    /// <param name="plan">A plan that fails.</param>
    /// <param name="fails">Runs a plan and returns whether it fails.</param>
    /// <returns>The numbers of the items that can be removed.</returns>
    public static IReadOnlySet<int> Of(Plan plan, Func<Plan, bool> fails)
    {
        var without = new HashSet<int>();
        for (var size = Math.Max(1, plan.Items.Count / 2); ; size /= 2)
        {
            bool isShorter;
            do
            {
                isShorter = false;
                var left = plan.Items.Select(item => item.Number).Where(number => !without.Contains(number)).ToList();
                foreach (var part in left.Chunk(size))
                {
                    var less = without.Concat(part).ToHashSet();
                    if (!fails(plan.Without(less))) continue;
                    without = less;
                    isShorter = true;
                }
            }
            while (isShorter && size == 1);
            if (size <= 1) return without;
        }
    }
}
