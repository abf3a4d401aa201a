namespace Orderwright.Cli.Import;

/// <summary>One line of a file: read, not yet judged.</summary>
/// <param name="Number">Counted from 1, the heading included, as an editor shows it.</param>
/// <param name="Order">The number of the order it belongs to.</param>
/// <param name="Customer">Empty for a guest.</param>
/// <param name="Sku">As the file writes it.</param>
/// <param name="Name">What the goods are called; may be empty.</param>
/// <param name="Quantity">May be negative.</param>
/// <param name="UnitPrice">In the currency's own unit, such as 2.55; null where the catalogue's price is meant.</param>
/// <param name="Currency">ISO 4217.</param>
/// <param name="Payment">A provider's token, or empty for the customer's balance.</param>
/// <param name="Date">As the file writes it; kept with the order.</param>
/// <param name="Country">Likewise.</param>
public sealed record SourceLine(
    int Number, string Order, string Customer, string Sku, string Name, int Quantity, decimal? UnitPrice, string Currency,
    string Payment = "", string Date = "", string Country = "");

/// <summary>A line that cannot be read, and why. It stops nothing.</summary>
public sealed record BadLine(int Number, string Why);

/// <summary>A whole file, read. Held in memory: what opening stock it takes is known only at its end.</summary>
/// <param name="Id">12 hex digits of the content's SHA-256: the same lines, packed or not, are the same import.</param>
/// <param name="Lines">In the order of the file.</param>
/// <param name="Bad">Those that could not be read.</param>
public sealed record SourceFile(string Id, IReadOnlyList<SourceLine> Lines, IReadOnlyList<BadLine> Bad)
{
    /// <summary>All but the heading and lines that are empty.</summary>
    public int TotalLines => Lines.Count + Bad.Count;
}
