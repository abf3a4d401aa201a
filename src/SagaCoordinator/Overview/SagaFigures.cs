using Orderwright.Http;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>Gauges of open sagas.</summary>
static class SagaFigures
{
    static readonly FigureName Open = new(
        "orderwright.sagas.open", "{saga}", "Open sagas by state and step; counted up to 20,000.");

    static readonly FigureName Oldest = new("orderwright.sagas.oldest", "s", "Age of the oldest open saga by state.");

    static readonly FigureName Incidents = new(
        "orderwright.incidents.open", "{saga}", "Sagas that wait for an operator, by step and code.");

    static readonly FigureName Late = new(
        "orderwright.timers.late", "{timer}", "Timers that are late by more than five seconds.");

    static readonly string[] OpenStates =
        [.. new[] { SagaStatus.Running, SagaStatus.Waiting, SagaStatus.Compensating, SagaStatus.Failed }.Select(SagaNames.Of)];

    public static Figures Of(OverviewReader overview, ProcessVersions versions, TimeProvider time) => new(
        ServiceNames.Coordinator, [Open, Oldest, Incidents, Late],
        async cancel =>
        {
            var now = time.Now();
            return Of(await overview.ReadOpenAsync(ChannelSet.All, now, cancel), versions.StepNames, now);
        },
        time);

    /// <summary>Figures of open sagas: every state with every step, and at least one series of each gauge.</summary>
    public static IReadOnlyList<Figure> Of(
        IReadOnlyList<OpenSagas> open, IEnumerable<string> steps, DateTimeOffset now)
    {
        var figures = new List<Figure> { new(Late, open.Sum(group => group.Overdue)) };
        foreach (var state in OpenStates)
        {
            var here = open.Where(group => group.State == state).ToList();
            figures.Add(new(
                Oldest, here.Count == 0 ? 0 : Math.Max(0, (now - here.Min(group => group.OldestAt)).TotalSeconds),
                ("state", state)));
            figures.AddRange(steps.Select(step => new Figure(
                Open, here.Where(group => group.Step == step).Sum(group => group.Count), ("state", state),
                ("step", step))));
        }
        var incidents = open.Where(group => group.State == SagaNames.Of(SagaStatus.Failed))
            .GroupBy(group => (Step: group.Step ?? "", Code: group.Code ?? ""))
            .Select(group => new Figure(
                Incidents, group.Sum(sagas => sagas.Count), ("step", group.Key.Step), ("code", group.Key.Code))).ToList();
        return [.. figures, .. incidents.Count > 0 ? incidents : [new(Incidents, 0, ("step", ""), ("code", ""))]];
    }
}
