using System.Collections;
using Microsoft.Extensions.Configuration;
using Orderwright.Runtime;

namespace Orderwright.Hosting;

/// <summary>
/// Settings from the environment (<c>ORDERWRIGHT_MAX_MESSAGES=256</c>) and, stronger, from arguments
/// (<c>--max-messages 256</c>; <c>--no-demo</c> stands for <c>--demo false</c>). Case, underscores and dashes do not
/// count; <c>ORDERWRIGHT_DATABASE_FILE=/run/secrets/database</c> reads <c>DATABASE</c> from a file. It
/// remembers what was asked for, so that a setting which nobody asks for can be told.
/// </summary>
public sealed class SettingsSource : ConfigurationProvider, IConfigurationSource
{
    // Those of the command line tool and its script.
    static readonly string[] Others = ["URL", "KEY", "HOME"];

    readonly Dictionary<string, string> arguments = [];
    readonly Dictionary<string, string> environment = [];
    readonly HashSet<string> asked = [];
    readonly Lock gate = new();

    public SettingsSource(IReadOnlyList<string> args, IDictionary variables)
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
            else if (i + 1 < args.Count)
                Set(arguments, name, name[2..], args[++i]);
            else
                throw new InvalidSettingException($"The argument {name} needs a value.");
        }
    }

    public override bool TryGet(string key, out string? value)
    {
        var name = Normal(key);
        lock (gate) asked.Add(name);
        return base.TryGet(name, out value);
    }

    /// <summary>Refuses arguments that nobody asked for, and returns the variables that nobody asked for.</summary>
    public IReadOnlyList<string> Unknown()
    {
        lock (gate)
        {
            foreach (var (name, said) in arguments)
                if (!asked.Contains(name)) throw new InvalidSettingException($"There is no argument {said}.");
            return [.. environment.Where(pair => !asked.Contains(pair.Key) && !Others.Contains(pair.Key))
                .Select(pair => pair.Value)];
        }
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    // How container platforms hand over secrets: NAME_FILE says in which file the value of NAME stands.
    void SetVariable(string said, string name, string value)
    {
        const string InFile = "_FILE";
        if (!name.EndsWith(InFile, StringComparison.OrdinalIgnoreCase))
        {
            Set(environment, said, name, value);
            return;
        }
        try
        {
            Set(environment, said, name[..^InFile.Length], File.ReadAllText(value).Trim());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InvalidSettingException($"{said} is \"{value}\", which cannot be read: {error.Message}");
        }
    }

    void Set(Dictionary<string, string> from, string said, string key, string value)
    {
        var name = Normal(key);
        from[name] = said;
        Data[name] = value;
    }

    static string Normal(string key) =>
        string.Concat(key.Where(c => c is not ('_' or '-' or ':' or '.'))).ToUpperInvariant();
}
