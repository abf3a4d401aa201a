using System.Text.Json.Serialization;

namespace Orderwright.Load;

/// <summary>A load, as a line of JSON.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(PlaceCommand), "place")]
[JsonDerivedType(typeof(ReadCommand), "read")]
abstract record LoadCommand
{
    /// <summary>Addresses of order-service instances, among which connections are spread evenly.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>Maximum number of concurrent requests.</summary>
    public required int Connections { get; init; }

    /// <summary>
    /// Requests per second at fixed moments, regardless of responses (an open loop); 0 sends a connection's next request
    /// after its last response (a closed loop).
    /// </summary>
    public double Rate { get; init; }

    /// <summary>Equal seeds make equal requests.</summary>
    public int Seed { get; init; }
}

/// <summary>Places orders and waits until each has ended.</summary>
sealed record PlaceCommand : LoadCommand
{
    public int Orders { get; init; }

    /// <summary>Sampling: of every N orders, a single order waits for the decision and is measured to the end.</summary>
    public int WaitEvery { get; init; } = 1;

    /// <summary>True when every line orders the same product, except for sold-out goods.</summary>
    public bool OneSku { get; init; }

    /// <summary>True for payment by a sandbox card, captured after the confirmation; otherwise by store credit.</summary>
    public bool ByCard { get; init; }

    /// <summary>True when each order has a reference and an Idempotency-Key.</summary>
    public bool Keyed { get; init; }

    /// <summary>True when orders that stay pending end the run after two minutes, instead of failing the run.</summary>
    public bool MayGetStuck { get; init; }
}

/// <summary>Reads until the next line on standard input.</summary>
sealed record ReadCommand : LoadCommand
{
    /// <summary>True for pages of the order list; otherwise single orders among the last 1,000.</summary>
    public bool Lists { get; init; }
}

/// <param name="Requests">Responses: orders placed, or reads.</param>
/// <param name="Confirmed">Confirmed among the orders sampled with their decision.</param>
/// <param name="Rejected">Rejected among the orders sampled with their decision.</param>
/// <param name="Undecided">Orders answered after 30 s without a decision.</param>
/// <param name="Refused">Responses with 503, after which the order is placed again.</param>
/// <param name="Seconds">Time from the first request until the last order ended.</param>
/// <param name="Milliseconds">
/// Latency by percentile, such as <c>p99</c>: from the moment a request was due or sent to its response, for an order to
/// its confirmation. Rejected orders are excluded, undecided ones included.
/// </param>
sealed record LoadResult(
    int Requests, int Confirmed, int Rejected, int Undecided, int Refused, double Seconds,
    IReadOnlyDictionary<string, double> Milliseconds);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LoadCommand))]
[JsonSerializable(typeof(LoadResult))]
sealed partial class LoadJson : JsonSerializerContext;
