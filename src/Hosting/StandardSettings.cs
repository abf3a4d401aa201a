using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>
/// Settings in the places where .NET developers expect them: <c>appsettings.json</c> and
/// <c>appsettings.{Environment}.json</c> in the content root, and environment variables such as
/// <c>ConnectionStrings__Orderwright</c> and <c>ASPNETCORE_URLS</c>. All <c>ORDERWRIGHT_*</c> variables and all arguments
/// take precedence.
/// </summary>
public sealed class StandardSettings
{
    const string Section = "Orderwright";

    // Keys with the provided setting, and the settings with precedence.
    static readonly (string Key, string Name, string[] ReplacedBy)[] Known =
    [
        ("ConnectionStrings:Orderwright", "DATABASE", ["DATABASE", "DATA"]),
        ("ConnectionStrings:Database", "DATABASE", ["DATABASE", "DATA"]),
        ("ConnectionStrings:RabbitMq", "TRANSPORT", ["TRANSPORT"]),
        ("urls", "LISTEN", ["LISTEN", "PORT"]),
        ("Logging:LogLevel:Default", "LOG", ["LOG"]),
    ];

    // Sections known from ASP.NET Core but without effect here, with the reason.
    static readonly (string Key, string Why)[] Unused =
    [
        ("Kestrel", "the server's limits are fixed, and the address is ORDERWRIGHT_LISTEN or urls"),
        ("AllowedHosts", "host names are listed in ORDERWRIGHT_HOSTS"),
        ("Logging:Console", "log lines have a fixed format"),
        ("https_port", "a proxy in front terminates TLS"),
    ];

    static readonly string[] Hosts = ["ASPNETCORE_", "DOTNET_"];
    static readonly string[] HostKeys = ["urls", "environment", "https_port"];

    readonly IConfigurationRoot configuration;
    readonly Dictionary<string, string> variables = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="directory">Content root: the current directory of a process.</param>
    /// <param name="environment">Environment variables.</param>
    public StandardSettings(string directory, IDictionary environment)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        // ASPNETCORE_ wins over DOTNET_, as in ASP.NET Core.
        foreach (var prefix in Hosts.Reverse()) AddHostVariables(prefix, environment, values);
        foreach (DictionaryEntry variable in environment)
            if (variable.Key is string name && name.Contains("__", StringComparison.Ordinal)
                && !name.StartsWith(Settings.Prefix, StringComparison.OrdinalIgnoreCase))
                Add(name.Replace("__", ":", StringComparison.Ordinal), name, (string?)variable.Value, values);
        var stage = values.GetValueOrDefault("environment") is { Length: > 0 } given ? given : "Production";
        try
        {
            configuration = new ConfigurationBuilder()
                .SetBasePath(Path.GetFullPath(directory))
                .AddJsonFile("appsettings.json", optional: true)
                .AddJsonFile($"appsettings.{stage}.json", optional: true)
                .AddInMemoryCollection(values)
                .Build();
        }
        catch (InvalidDataException error)
        {
            var cause = error.InnerException is FormatException { InnerException: JsonException json }
                ? json.Message
                : error.Message;
            throw new InvalidSettingException($"An appsettings file in {directory} cannot be read: {cause}");
        }
    }

    /// <summary>Configured log levels per category, without the default.</summary>
    public IReadOnlyList<(string Category, string Origin, string Level)> LogLevels =>
    [
        .. configuration.GetSection("Logging:LogLevel").GetChildren()
            .Where(level => level is { Value: not null } && !level.Key.Equals("Default", StringComparison.OrdinalIgnoreCase))
            .Select(level => (level.Key, OriginOf(level.Path), level.Value!)),
    ];

    /// <summary>
    /// Returns the settings provided here, and a sentence for each recognized entry without effect.
    /// </summary>
    /// <param name="isSet">Tells whether an <c>ORDERWRIGHT_*</c> variable or an argument provides a setting.</param>
    public (IReadOnlyList<StandardSetting> Provided, IReadOnlyList<string> Warnings) Resolve(Func<string, bool> isSet)
    {
        var provided = new List<StandardSetting>();
        var warnings = new List<string>();
        foreach (var (path, value) in configuration.GetSection(Section).AsEnumerable(makePathsRelative: true))
            if (value is not null)
            {
                if (isSet(path)) warnings.Add(Overridden(OriginOf($"{Section}:{path}"), Variable(path)));
                else provided.Add(new(path, value, OriginOf($"{Section}:{path}")));
            }
        foreach (var (key, name, replacedBy) in Known)
        {
            if (configuration[key] is not { Length: > 0 } value) continue;
            if (replacedBy.FirstOrDefault(isSet) is { } stronger)
                warnings.Add(Overridden(OriginOf(key), Variable(stronger)));
            else if (provided.Find(setting => replacedBy.Any(other => SettingsSource.AreSame(other, setting.Name))) is { } first)
                warnings.Add(Overridden(OriginOf(key), first.Origin));
            else
                provided.Add(new(name, key == "urls" ? OneAddress(value, warnings) : value, OriginOf(key)));
        }
        warnings.AddRange(
            from entry in Unused
            let section = configuration.GetSection(entry.Key)
            where section.Exists() && section.Value != "*"
            select $"{OriginOf(entry.Key)} is not used: {entry.Why}.");
        return (provided, warnings);
    }

    static string Variable(string name) =>
        $"{Settings.Prefix}{name.Replace(":", "", StringComparison.Ordinal).ToUpperInvariant()}";

    static string Overridden(string origin, string stronger) => $"{origin} is not used: {stronger} is set.";

    // A host listens on one address without TLS.
    string OneAddress(string urls, List<string> warnings)
    {
        var all = urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var used = Array.Find(all, url => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase)) ?? urls;
        if (all.Length > 1)
            warnings.Add($"{OriginOf("urls")} names several addresses, and only {used} is used.");
        return used;
    }

    void AddHostVariables(string prefix, IDictionary environment, Dictionary<string, string?> values)
    {
        foreach (var key in HostKeys)
            foreach (DictionaryEntry variable in environment)
                if (variable.Key is string name && name.Equals(prefix + key, StringComparison.OrdinalIgnoreCase))
                    Add(key, name, (string?)variable.Value, values);
    }

    void Add(string key, string variable, string? value, Dictionary<string, string?> values)
    {
        values[key] = value;
        variables[key] = variable;
    }

    // The variable, or the key within a file.
    string OriginOf(string key) => variables.GetValueOrDefault(key) ?? $"{key} of appsettings";
}

/// <summary>Setting provided by a standard place.</summary>
/// <param name="Name">Name without prefix, such as <c>DATABASE</c>.</param>
/// <param name="Value">Value as text.</param>
/// <param name="Origin">Variable or key, for messages.</param>
public sealed record StandardSetting(string Name, string Value, string Origin);
