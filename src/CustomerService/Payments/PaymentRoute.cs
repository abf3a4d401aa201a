using System.Globalization;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.CustomerService.Payments;

/// <summary>
/// Route for payments of a kind: a line of <c>ORDERWRIGHT_ROUTES</c>, for example
/// <c>card in GBP EUR from 100 up to 500000: stripe, then http</c>.
/// </summary>
/// <param name="Name">Name given by orders as the payment's provider.</param>
/// <param name="Currencies">ISO 4217; empty for all.</param>
/// <param name="FromMinor">Smallest amount, minor units.</param>
/// <param name="UpToMinor">Largest amount, minor units.</param>
/// <param name="Gateways">Gateways in order of preference.</param>
/// <param name="AlsoWhenDeclined">Tries the next gateway after a decline, too.</param>
public sealed record PaymentRoute(
    string Name, IReadOnlyList<string> Currencies, long FromMinor, long UpToMinor, IReadOnlyList<string> Gateways,
    bool AlsoWhenDeclined)
{
    const string Allowed =
        "lines, or parts between semicolons, such as \"card in GBP EUR up to 500000: stripe, then http\"";

    const string Declined = "also when declined";

    /// <summary>Parses the setting; throws <see cref="InvalidSettingException"/> when invalid.</summary>
    /// <param name="text">The setting's value; empty for none.</param>
    /// <param name="gateways">Names of the configured gateways.</param>
    public static IReadOnlyList<PaymentRoute> ReadAll(string text, IReadOnlyCollection<string> gateways) =>
    [
        .. text.Split(['\n', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => line[0] != '#').Select(line => Read(line, gateways)),
    ];

    static PaymentRoute Read(string line, IReadOnlyCollection<string> gateways)
    {
        if (line.Split(':', StringSplitOptions.TrimEntries) is not [var conditions, var targets]) throw Bad(line);
        var declined = targets.EndsWith(Declined, StringComparison.Ordinal);
        if (declined) targets = targets[..^Declined.Length];
        string[] names = [.. Words(targets).Where(word => word != "then")];
        if (names.Length == 0 || names.Distinct().Count() < names.Length) throw Bad(line);
        if (names.FirstOrDefault(name => !gateways.Contains(name)) is { } unknown)
            throw new InvalidSettingException(
                $"{Settings.Prefix}ROUTES sends payments to \"{unknown}\", which is not configured. There are: "
                + $"{(gateways.Count == 0 ? "none" : string.Join(", ", gateways.Order(StringComparer.Ordinal)))}.");
        var words = new Queue<string>(Words(conditions));
        if (!words.TryDequeue(out var route) || route is PaymentProviders.Balance or "in" or "from" or "up") throw Bad(line);
        var (currencies, from, upTo) = (new List<string>(), 0L, long.MaxValue);
        while (words.TryDequeue(out var word))
            switch (word)
            {
                case "in":
                    while (words.TryPeek(out var code) && Contracts.Currencies.IsKnown(code)) currencies.Add(words.Dequeue());
                    if (currencies.Count == 0) throw Bad(line);
                    break;
                case "from":
                    from = Amount(words, line);
                    break;
                case "up" when words.TryDequeue(out var to) && to == "to":
                    upTo = Amount(words, line);
                    break;
                default:
                    throw Bad(line);
            }
        return from <= upTo ? new(route, currencies, from, upTo, names, declined) : throw Bad(line);
    }

    static long Amount(Queue<string> words, string line) =>
        words.TryDequeue(out var word) && long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            ? amount
            : throw Bad(line);

    static string[] Words(string text) =>
        text.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    static InvalidSettingException Bad(string line) => new("ROUTES", line, Allowed);
}

/// <summary>Choice of the gateway per payment.</summary>
public sealed class RouteSettings
{
    /// <summary>
    /// Payment routes, one per line or separated by semicolons, such as
    /// <c>card in GBP EUR from 100 up to 500000: stripe, then http</c>; the first matching route with the payment's name
    /// applies. Default: the provider that the order names.
    /// </summary>
    public string Routes { get; set; } = "";
}
