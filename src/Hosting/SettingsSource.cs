using System.Collections;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>
/// Settings from arguments (<c>--max-messages 256</c>; <c>--no-demo</c> means <c>--demo false</c>), then from the environment
/// (<c>ORDERWRIGHT_MAX_MESSAGES=256</c>), then from <see cref="StandardSettings"/>. Case, underscores and dashes are ignored;
/// <c>ORDERWRIGHT_DATABASE_FILE=/run/secrets/database</c> reads <c>DATABASE</c> from a file. Records which settings are
/// read, so that unknown settings can be reported.
/// </summary>
public sealed class SettingsSource : ConfigurationProvider, IConfigurationSource
{
    // Variables of the command line tool and its script.
    static readonly string[] ToolVariables = ["URL", "KEY", "HOME"];

    readonly Dictionary<string, string> arguments = [];
    readonly Dictionary<string, string> environment = [];
    readonly Dictionary<string, string> origins = [];
    readonly HashSet<string> read = [];
    readonly Lock gate = new();

    public SettingsSource(IReadOnlyList<string> args, IDictionary variables, StandardSettings? standard = null)
    {
        foreach (DictionaryEntry variable in variables)
            if (variable.Key is string name && name.StartsWith(Settings.Prefix, StringComparison.OrdinalIgnoreCase))
                SetVariable(name, name[Settings.Prefix.Length..], (string?)variable.Value ?? "");
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i];
            if (!name.StartsWith("--", StringComparison.Ordinal) || name.Length == 2)
                throw new InvalidSettingException($"The argument \"{name}\" is not understood. Allowed: --name value.");
            if (name.Split('=', 2) is [var before, var after])
                Set(arguments, before, before[2..], after);
            else if (name.StartsWith("--no-", StringComparison.Ordinal))
                Set(arguments, name, name[5..], "false");
            else if (IsFlag(name))
                Set(arguments, name, name[2..], "true");
            else if (i + 1 < args.Count)
                Set(arguments, name, name[2..], args[++i]);
            else
                throw new InvalidSettingException($"The argument {name} needs a value.");
        }
        if (standard is null) return;
        (var provided, Warnings) = standard.Resolve(name => Data.ContainsKey(Normal(name)));
        foreach (var (name, value, origin) in provided)
        {
            origins[Normal(name)] = origin;
            Data[Normal(name)] = value;
        }
    }

    /// <summary>A sentence for each recognized standard setting without effect.</summary>
    public IReadOnlyList<string> Warnings { get; } = [];

    public override bool TryGet(string key, out string? value)
    {
        var name = Normal(key);
        lock (gate) read.Add(name);
        return base.TryGet(name, out value);
    }

    /// <summary>Throws for an unread argument; returns the unread variables and keys.</summary>
    public IReadOnlyList<string> Unknown()
    {
        lock (gate)
        {
            foreach (var (name, argument) in arguments)
                if (!read.Contains(name)) throw new InvalidSettingException($"The argument {argument} is unknown.");
            return
            [
                .. environment.Where(pair => !ToolVariables.Contains(pair.Key)).Concat(origins)
                    .Where(pair => !read.Contains(pair.Key)).Select(pair => pair.Value),
            ];
        }
    }

    /// <summary>The message for an invalid setting, with the place the value comes from.</summary>
    public string Explain(InvalidSettingException error) =>
        error.Setting is { } name && origins.TryGetValue(Normal(name), out var origin)
            ? $"{error.Message} The value comes from {origin}."
            : error.Message;

    /// <summary>True for two spellings of the same setting.</summary>
    public static bool AreSame(string one, string other) => Normal(one) == Normal(other);

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    static bool IsFlag(string argument) => argument == "--script";

    // Container platforms provide secrets as files: NAME_FILE is the path of a file with the value of NAME.
    void SetVariable(string variable, string name, string value)
    {
        const string InFile = "_FILE";
        if (!name.EndsWith(InFile, StringComparison.OrdinalIgnoreCase))
        {
            Set(environment, variable, name, value);
            return;
        }
        try
        {
            Set(environment, variable, name[..^InFile.Length], File.ReadAllText(value).Trim());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidSettingException($"{variable} is \"{value}\", which cannot be read: {error.Message}");
        }
    }

    void Set(Dictionary<string, string> from, string variable, string key, string value)
    {
        var name = Normal(key);
        from[name] = variable;
        Data[name] = value;
    }

    static string Normal(string key) =>
        string.Concat(key.Where(c => c is not ('_' or '-' or ':' or '.'))).ToUpperInvariant();
}
