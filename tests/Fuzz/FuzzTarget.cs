using Orderwright.Fuzz.Targets;

namespace Orderwright.Fuzz;

/// <summary>An input that breaks a promise of its reader.</summary>
public sealed class BrokenPromiseException(string message) : Exception(message);

/// <summary>A reader of foreign input. An exception of <paramref name="Check"/> is a finding.</summary>
/// <param name="Name">Name on the command line, and of the folder with the seeds.</param>
/// <param name="Assemblies">Assemblies to instrument.</param>
/// <param name="Check">Reads an input, and checks the reader's promises.</param>
public sealed record FuzzTarget(string Name, IReadOnlyList<string> Assemblies, Action<byte[]> Check)
{
    /// <summary>Longest input: larger ones find nothing new and cost time.</summary>
    public const int MaxLength = 16_384;

    public static readonly IReadOnlyList<FuzzTarget> All =
    [
        new("csv", ["Orderwright.Cli", "Orderwright.OrderService", "Orderwright.Http"], CsvTarget.Check),
        new("json", ["Orderwright.Http", "Orderwright.OrderService"], JsonTarget.Check),
        new("envelope", ["Orderwright.Contracts"], EnvelopeTarget.Check),
        new("signature", ["Orderwright.CustomerService"], SignatureTarget.Check),
    ];

    public static FuzzTarget Named(string name) => All.Single(target => target.Name == name);

    /// <summary>Folder with the seeds and the findings of earlier runs.</summary>
    public string Corpus => Path.Combine(AppContext.BaseDirectory, "Corpus", Name);

    public void Run(Stream input)
    {
        using var copy = new MemoryStream();
        input.CopyTo(copy);
        if (copy.Length <= MaxLength) Check(copy.ToArray());
    }

    public static void Require(bool holds, string promise)
    {
        if (!holds) throw new BrokenPromiseException(promise);
    }
}
