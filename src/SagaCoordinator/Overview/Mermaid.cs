using System.Text;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Overview;

/// <summary>
/// Mermaid flowchart of a process: steps from left to right, undos from right to left.
/// </summary>
public static class Mermaid
{
    public const string ContentType = "text/vnd.mermaid";

    public static string Of(SagaDefinition definition)
    {
        var chart = new StringBuilder("flowchart LR\n");
        void Line(string text) => chart.Append("  ").Append(text).Append('\n');

        Line($"%% {definition.Name} version {definition.Version}");
        Line("started([order placed])");
        foreach (var step in definition.Steps)
        {
            Line(step.Pivot ? $"{Id(step)}{{{{\"{Text(step)}\"}}}}" : $"{Id(step)}[\"{Text(step)}\"]");
            if (step.Undo is null) continue;
            Line($"{UndoId(step)}(\"{step.Undo}<br/><i>{step.Participant}</i>\")");
        }
        Line("completed([completed])");
        Line("undone([rejected, expired or cancelled])");
        Forward(definition, Line);
        Back(definition, Line);
        Line("classDef undo stroke-dasharray: 4 4");
        var undos = definition.Steps.Where(step => step.Undo is not null).Select(UndoId).ToList();
        if (undos.Count > 0) Line($"class {string.Join(',', undos)} undo");
        return chart.ToString();
    }

    static void Forward(SagaDefinition definition, Action<string> line)
    {
        IReadOnlyList<string> from = ["started"];
        var pivoted = false;
        foreach (var stage in definition.Stages)
        {
            foreach (var step in stage.Steps)
                foreach (var before in from)
                    line(pivoted ? $"{before} ==>|confirmed| {Id(step)}" : $"{before} --> {Id(step)}");
            from = [.. stage.Steps.Select(Id)];
            pivoted = stage.Steps.Any(step => step.Pivot);
        }
        foreach (var before in from) line($"{before} --> completed");
    }

    // A refusal undoes the steps before; silence undoes the step as well, because the step may have happened.
    static void Back(SagaDefinition definition, Action<string> line)
    {
        string before = "undone";
        foreach (var step in definition.Steps)
        {
            if (!step.ForwardOnly && !step.Optional) line($"{Id(step)} -. refused .-> {before}");
            if (step.Undo is null) continue;
            if (!step.ForwardOnly) line($"{Id(step)} -. no answer .-> {UndoId(step)}");
            line($"{UndoId(step)} --> {before}");
            before = UndoId(step);
        }
        if (definition.CancellableAfterPivot) line($"completed -. cancelled .-> {before}");
    }

    static string Text(SagaStep step) =>
        $"{step.Name}<br/><i>{step.Participant}</i>"
        + (step.Pivot ? "<br/>pivot" : step.ForwardOnly ? "<br/>forward only" : "")
        + (step.Optional ? "<br/>optional" : "")
        + (step.Human ? "<br/>decided by a person" : "")
        + (step.SkipWhen is { } skip ? $"<br/>skipped when {skip.Step} reports {skip.Detail}" : "");

    static string Id(SagaStep step) => step.Name.Replace('-', '_');

    static string UndoId(SagaStep step) => $"undo_{Id(step)}";
}
