using System.Globalization;

namespace Orderwright.Simulation;

/// <summary>Prints a run for people: its plan, its faults, and the course of id order.</summary>
static class RunReport
{
    /// <param name="world">A traced run.</param>
    /// <param name="outcome">The result of the run.</param>
    /// <param name="order">Number of the order to print; null for the first order that failed, or else all.</param>
    /// <param name="to">Destination.</param>
    public static void Write(World world, Outcome outcome, int? order, TextWriter to)
    {
        var orderId = order is { } number
            ? world.Client.Tickets.GetValueOrDefault(number)?.OrderId
            : outcome.Findings.Select(finding => Guid.TryParse(finding.Subject, out var id) ? id : (Guid?)null)
                .FirstOrDefault(id => id is not null);
        var plan = world.Plan;
        to.WriteLine(
            $"seed {plan.Seed}: {string.Join(", ", plan.Instances.Select(pair => $"{pair.Value} × {pair.Key}"))}; " +
            $"{plan.OnHand} of each product, {plan.Credit} of credit; {(plan.Webhooks ? "webhooks" : "no webhooks")}; " +
            $"databases {(plan.DatabaseHasClock ? "with" : "without")} a clock; " +
            $"inboxes {(plan.SharesQueues ? "shared" : "with one active instance")}");
        foreach (var item in plan.Items)
            to.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"  [{item.Number}] {item.At.TotalSeconds,9:F3} s  {item.What}"));
        if (orderId is not null) to.WriteLine($"order {orderId}:");
        foreach (var line in world.Trace.Lines)
            if (line.Order is null || orderId is null || line.Order == orderId)
                to.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {(line.At - world.Began).TotalSeconds,12:F3} s  " +
                    $"{(orderId is null && line.Order is { } id ? $"…{id.ToString()[^4..]} " : "")}{line.Text}"));
        WriteVerdict(outcome, to);
    }

    public static void WriteVerdict(Outcome outcome, TextWriter to)
    {
        foreach (var finding in outcome.Findings) to.WriteLine($"✗ {finding.Invariant}  {finding.Subject} {finding.What}");
        if (outcome.Findings.Count == 0) to.WriteLine("✓ every invariant holds");
    }
}
