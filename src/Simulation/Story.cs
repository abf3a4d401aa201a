using System.Globalization;

namespace Orderwright.Simulation;

/// <summary>Tells a run for people: what the plan did, what went wrong, and one order's way through it.</summary>
static class Story
{
    /// <param name="world">A run that was traced.</param>
    /// <param name="outcome">What came of it.</param>
    /// <param name="order">
    /// Which order's lines are shown, by its number in the plan; null: the first that failed, else all.
    /// </param>
    /// <param name="to">Where it is told.</param>
    public static void Tell(World world, Outcome outcome, int? order, TextWriter to)
    {
        var orderId = order is { } number
            ? world.Client.Tickets.GetValueOrDefault(number)?.OrderId
            : outcome.Findings.Select(finding => Guid.TryParse(finding.Subject, out var id) ? id : (Guid?)null)
                .FirstOrDefault(id => id is not null);
        var plan = world.Plan;
        to.WriteLine(
            $"seed {plan.Seed}: {string.Join(", ", plan.Instances.Select(pair => $"{pair.Value} × {pair.Key}"))}; " +
            $"{plan.OnHand} of each product, {plan.Credit} of credit; {(plan.Webhooks ? "webhooks" : "no webhooks")}");
        foreach (var item in plan.Items)
            to.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  [{item.Number}] {item.At.TotalSeconds,9:F3} s  {item.What}"));
        if (orderId is { } one) to.WriteLine($"order {one}:");
        foreach (var line in world.Trace.Lines)
            if (line.Order is null || orderId is null || line.Order == orderId)
                to.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {(line.At - world.Began).TotalSeconds,12:F3} s  " +
                    $"{(orderId is null && line.Order is { } id ? $"…{id.ToString()[^4..]} " : "")}{line.Text}"));
        Verdict(outcome, to);
    }

    public static void Verdict(Outcome outcome, TextWriter to)
    {
        foreach (var finding in outcome.Findings) to.WriteLine($"✗ {finding.Invariant}  {finding.Subject} {finding.What}");
        if (outcome.Findings.Count == 0) to.WriteLine("✓ all holds");
    }
}
