using System.Text.Json;
using Orderwright.Http;
using Orderwright.OrderService;

namespace Orderwright.Fuzz.Targets;

/// <summary>
/// Reads an order request strictly. Promises: the reader never throws, returns either a value or errors, accepts nothing that
/// the serializer refuses, and accepts the value again when it is written; the checks of a value never throw.
/// </summary>
static class JsonTarget
{
    public static void Check(byte[] input)
    {
        var (value, errors) = StrictJson.Parse(input, OrderJson.Default.OrderRequest);
        FuzzTarget.Require(value is null == errors.Count > 0, "neither a value nor an error, or both");
        FuzzTarget.Require(
            errors.All(error => error is { Code.Length: > 0, Detail.Length: > 0, Pointer: "" or ['/', ..] }),
            "an error without a code, a detail or a pointer");
        StrictJson.Parse(input, OrderJson.Default.CancelRequest);
        if (value is null) return;
        FuzzTarget.Require(
            JsonSerializer.Deserialize(input, OrderJson.Default.OrderRequest) is not null, "accepted what is no order");
        OrderChecks.Refuse(value);
        var written = JsonSerializer.SerializeToUtf8Bytes(value, OrderJson.Default.OrderRequest);
        var (again, faults) = StrictJson.Parse(written, OrderJson.Default.OrderRequest);
        FuzzTarget.Require(
            again is not null
            && JsonSerializer.SerializeToUtf8Bytes(again, OrderJson.Default.OrderRequest).AsSpan().SequenceEqual(written),
            $"a value changes when it is written and read again: {string.Join(", ", faults.Select(fault => fault.Code))}");
    }
}
