using System.Text;
using System.Text.RegularExpressions;

namespace Orderwright.Tidy.Reference;

/// <summary>Setting found in the source.</summary>
/// <param name="Project">Project of the options class, and so the processes that read it.</param>
/// <param name="Class">Options class.</param>
/// <param name="Property">Property, such as <c>MaxMessages</c>.</param>
/// <param name="Type">Type and range in words.</param>
/// <param name="Default">Default as a setting writes it; empty for none.</param>
/// <param name="Summary">Summary as Markdown.</param>
public sealed record Setting(string Project, string Class, string Property, string Type, string Default, string Summary)
{
    /// <summary>Variable, such as <c>ORDERWRIGHT_MAX_MESSAGES</c>.</summary>
    public string Variable => $"ORDERWRIGHT_{Regex.Replace(Property, "(?<=[a-z0-9])(?=[A-Z])", "_").ToUpperInvariant()}";
}

/// <summary>
/// The page of settings: every class that is bound to the configuration, with the summary, the range and the default of each
/// property.
/// </summary>
static partial class SettingsReference
{
    // Projects in the order of the page, with the processes that read their settings.
    static readonly (string Project, string Title, string Intro)[] Sections =
    [
        ("Hosting", "Process", "Every process: a service, all services in one, or the sandbox gateway."),
        ("Runtime", "Limits of a service", "Every service."),
        ("Transport.RabbitMq", "RabbitMQ", "Every service with a broker as its transport."),
        ("OrderService", "order-service", ""),
        ("CustomerService", "customer-service", ""),
        ("StockService", "stock-service", ""),
        ("SagaCoordinator", "saga-coordinator", ""),
        ("OperatorConsole", "Console", "The coordinator, or all services in one process."),
        ("AllInOne", "All services in one process", "`./orderwright dev` and `dotnet run --project src/AllInOne`."),
        ("Http", "Approvals by a second person", "customer-service and the coordinator."),
        ("SandboxGateway", "Sandbox gateway", "`./orderwright gateway`."),
    ];

    // Set in code or described elsewhere: no settings of an administrator.
    static readonly HashSet<string> Hidden = ["RabbitMqOptions.Url", "RabbitMqOptions.ClientName"];

    public static IReadOnlyList<Setting> All()
    {
        var files = SourceTree.Read("src", "*.cs");
        var classes = files.SelectMany(file => Bound().Matches(file.Text).Select(match => match.Groups[1].Value)).ToHashSet();
        var settings =
            from file in files
            from name in classes
            let body = SourceText.BodyOf(file.Text, name)
            where body is not null
            from match in Property().Matches(body).AsEnumerable()
            where !Hidden.Contains($"{name}.{match.Groups["name"].Value}")
            select Read(file.Path.Split('/')[1], name, match, files);
        return [.. settings];
    }

    public static string Write()
    {
        var settings = All().ToLookup(setting => setting.Project);
        var page = new StringBuilder();
        page.Append(
            """
            # Settings
            <!-- Generated from the options classes by tests/Tidy: change their summaries, then run the suite with
                 ORDERWRIGHT_WRITE_DOCS=1. -->

            Each setting is an environment variable or an argument: `ORDERWRIGHT_MAX_MESSAGES=256` and
            `--max-messages 256` are the same. Arguments win over variables; `--no-demo` means `--demo false`. Case,
            underscores and dashes do not matter. For secrets, `ORDERWRIGHT_DATABASE_FILE=/run/secrets/database` reads
            the value of `ORDERWRIGHT_DATABASE` from a file. Durations are written `250ms`, `5s`, `15m`, `2h`, `90d` or
            `hh:mm:ss`. An invalid value or an unknown argument ends the process with exit code 2 and a sentence; an
            unknown variable is only reported.

            ## Standard .NET settings
            `appsettings.json`, `appsettings.{Environment}.json` (in the current directory) and the usual environment
            variables are read with lower priority than everything above.

            | Standard setting | Same as |
            | --- | --- |
            | `ConnectionStrings:Orderwright` or `ConnectionStrings:Database` | `ORDERWRIGHT_DATABASE` |
            | `ConnectionStrings:RabbitMq` | `ORDERWRIGHT_TRANSPORT` |
            | `urls`, `ASPNETCORE_URLS` | `ORDERWRIGHT_LISTEN`; the first `http://` address counts |
            | `Logging:LogLevel:Default` | `ORDERWRIGHT_LOG` |
            | `Logging:LogLevel:{category}` | level of a log category |
            | `Orderwright:{name}`, such as `Orderwright:MaxMessages` | `ORDERWRIGHT_{NAME}` |

            A recognized setting without effect gives a warning at the start: an overridden one, and `Kestrel:*`,
            `AllowedHosts:*`, `Logging:Console:*` and `https_port`, which Orderwright does not use.

            """);
        foreach (var (project, title, intro) in Sections)
        {
            if (!settings[project].Any()) continue;
            page.Append('\n').Append("## ").Append(title).Append('\n');
            if (intro.Length > 0) page.Append(intro).Append("\n\n");
            page.Append("| Setting | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
            foreach (var setting in settings[project])
            {
                var value = setting.Default.Length > 0 ? $"`{setting.Default}`" : "";
                page.Append($"| `{setting.Variable}` | {setting.Type} | {value} | {setting.Summary} |\n");
            }
        }
        return page.ToString().ReplaceLineEndings("\n");
    }

    static Setting Read(string project, string name, Match match, IReadOnlyList<SourceFile> files)
    {
        var type = match.Groups["type"].Value.TrimEnd('?');
        var range = match.Groups["range"].Value.Split(',', StringSplitOptions.TrimEntries);
        var bounds = range.Length >= 2 ? $", {SourceText.Literal(range[^2])} to {SourceText.Literal(range[^1])}" : "";
        var words = type switch { "TimeSpan" => "duration", "bool" => "true or false", "string" => "text", _ => "number" };
        var source = match.Groups["default"].Value;
        var value = source.Length > 0 ? SourceText.Literal(Resolve(source, name, files))
            : match.Groups["type"].Value == "bool" ? "false"
            : match.Groups["type"].Value is "int" or "long" ? "0"
            : match.Groups["type"].Value == "TimeSpan" ? "0s" : "";
        return new(
            project, name, match.Groups["name"].Value, words + bounds, value,
            SourceText.Markdown(match.Groups["comment"].Value));
    }

    // A constant of the options class, or of another class such as Databases.Default.
    static string Resolve(string source, string owner, IReadOnlyList<SourceFile> files)
    {
        if (Constant().Match(source) is not { Success: true } reference || source == "TimeSpan.Zero") return source;
        var type = reference.Groups["type"] is { Success: true, Value: var other } ? other : owner;
        return files.Select(file => SourceText.BodyOf(file.Text, type)).OfType<string>()
            .Select(body => Regex.Match(body, $@"const \w+ {reference.Groups["name"].Value} = ([^;]+);"))
            .FirstOrDefault(match => match.Success)?.Groups[1].Value ?? source;
    }

    [GeneratedRegex(@"\.Bind<(\w+)>\(")]
    private static partial Regex Bound();

    [GeneratedRegex(@"^(?:(?<type>[A-Z]\w*)\.)?(?<name>[A-Z]\w*)$")]
    private static partial Regex Constant();

    [GeneratedRegex(
        @"(?<comment>(?:[ \t]*///[^\n]*\n)*)(?:[ \t]*\[(?:Range\((?<range>[^\]]*)\)|[^\]]*)\]\r?\n)*" +
        @"[ \t]*public (?<type>(?:int|long|bool|string|TimeSpan)\??) (?<name>\w+) \{ get; (?:set|init); \}" +
        "(?: = (?<default>[^;]+);)?")]
    private static partial Regex Property();
}
