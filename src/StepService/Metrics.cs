using System.Diagnostics.Metrics;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.StepService;

/// <summary>Instruments of calls of participants. The tag <c>step</c> is bounded by the steps of the process.</summary>
static class Metrics
{
    static readonly Meter Meter = new(Runtime.Metrics.SourceName);

    static readonly Counter<long> Calls = Meter.CreateCounter<long>(
        "orderwright.step.calls", "{call}", "Calls of participants over HTTP, by step, action and result.");

    static readonly Histogram<double> Durations = Meter.CreateHistogram<double>(
        "orderwright.step.duration", "s", "Time until a participant's response, or until the call was given up, by step.");

    static readonly string[] Results = ["completed", "rejected", "waiting", "indoubt", "retry", "invalid", "unavailable"];

    /// <summary>Shows every series of the steps from the start.</summary>
    public static void Begin(IEnumerable<string> steps)
    {
        foreach (var step in steps)
        {
            EmptySeries.Show(Durations, new KeyValuePair<string, object?>("step", step));
            foreach (var action in new[] { StepCall.Do, StepCall.UndoAction })
                foreach (var result in Results)
                    Calls.Add(0, new("step", step), new("action", action), new("result", result));
        }
    }

    /// <summary>Counts a call.</summary>
    public static void Called(StepCall call, StepAnswered answer, bool isAnswered, TimeSpan took)
    {
        var result = !isAnswered ? "unavailable"
            : answer is { Outcome: StepOutcome.Retry, Code: ParticipantReply.Invalid or ParticipantReply.Unavailable } ? "invalid"
            : answer.Outcome switch
            {
                StepOutcome.Completed => "completed",
                StepOutcome.Rejected => "rejected",
                StepOutcome.Waiting => "waiting",
                StepOutcome.InDoubt => "indoubt",
                _ => "retry",
            };
        Calls.Add(1, new("step", call.Step), new("action", call.Action), new("result", result));
        Durations.Record(took.TotalSeconds, new KeyValuePair<string, object?>("step", call.Step));
    }
}
