using System.Diagnostics;
using OpenTelemetry.Trace;

namespace Orderwright.Telemetry;

/// <summary>
/// Samples by request: the caller's flag counts, and of the requests without a trace context a share is recorded. A batch is
/// recorded if a recorded order is linked to it; work without any of these is not.
/// </summary>
sealed class OrderSampler(int percent) : Sampler
{
    static readonly SamplingResult Record = new(SamplingDecision.RecordAndSample);
    static readonly SamplingResult Drop = new(SamplingDecision.Drop);

    readonly TraceIdRatioBasedSampler share = new(percent / 100.0);

    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        var parent = samplingParameters.ParentContext;
        if (parent.TraceId != default) return IsRecorded(parent) ? Record : Drop;
        foreach (var link in samplingParameters.Links ?? [])
            if (IsRecorded(link.Context)) return Record;
        return samplingParameters.Kind == ActivityKind.Server ? share.ShouldSample(samplingParameters) : Drop;
    }

    static bool IsRecorded(ActivityContext context) => (context.TraceFlags & ActivityTraceFlags.Recorded) != 0;
}
