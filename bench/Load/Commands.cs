using System.Text.Json.Serialization;

namespace Orderwright.Load;

/// <summary>What a load is to be: one line of JSON.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "do")]
[JsonDerivedType(typeof(PlaceCommand), "place")]
[JsonDerivedType(typeof(ReadCommand), "read")]
abstract record LoadCommand
{
    /// <summary>Of the order-service instances; connections are spread evenly.</summary>
    public required IReadOnlyList<Uri> Urls { get; init; }

    /// <summary>Requests on their way at once, at most.</summary>
    public required int Connections { get; init; }

    /// <summary>
    /// Requests a second, at fixed moments, whatever the answers do (an open loop); 0: a connection sends its next one
    /// when its last was answered (a closed loop).
    /// </summary>
    public double Rate { get; init; }

    /// <summary>The same seed makes the same requests.</summary>
    public int Seed { get; init; }
}

/// <summary>Places orders until each is at its end.</summary>
sealed record PlaceCommand : LoadCommand
{
    public int Orders { get; init; }

    /// <summary>Every how manyth order is answered with its decision, and so measured to its end.</summary>
    public int WaitEvery { get; init; } = 1;

    /// <summary>All lines are of one product, but those of sold-out goods.</summary>
    public bool OneSku { get; init; }

    /// <summary>Each with a reference and an Idempotency-Key of its own.</summary>
    public bool Keyed { get; init; }
}

/// <summary>Reads until the next line on standard input.</summary>
sealed record ReadCommand : LoadCommand
{
    /// <summary>Pages of the list of orders; else single orders out of the last 1,000.</summary>
    public bool Lists { get; init; }
}

/// <param name="Requests">Answered: orders placed, or reads.</param>
/// <param name="Confirmed">Of the orders that were answered with their decision.</param>
/// <param name="Rejected">Likewise.</param>
/// <param name="Undecided">Answered after 30 s without a decision.</param>
/// <param name="Refused">Answers 503; such an order is placed again.</param>
/// <param name="Seconds">From the first request until the last order was at its end.</param>
/// <param name="Milliseconds">
/// By percentile, such as <c>p99</c>: from the moment a request was (to be) sent to its answer, for an order to its
/// confirmation. Rejected ones do not count, undecided ones do.
/// </param>
sealed record LoadResult(
    int Requests, int Confirmed, int Rejected, int Undecided, int Refused, double Seconds,
    IReadOnlyDictionary<string, double> Milliseconds);

[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(LoadCommand))]
[JsonSerializable(typeof(LoadResult))]
sealed partial class LoadJson : JsonSerializerContext;
